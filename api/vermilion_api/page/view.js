// What both pages share on the screen: languages, rows of what is to be signed, notices.

import { base64, hex, sha256, text } from "./bytes.js";
import { RefusedError } from "./statement.js";
import { texts } from "./texts.js";

export const byId = (id) => document.getElementById(id);

export const say = (name) => texts[name]?.[document.documentElement.lang] ?? name;

export function startLanguages(redraw) {
  const choose = (lang) => {
    document.documentElement.lang = lang;
    document.title = say(document.body.dataset.title);
    for (const button of document.querySelectorAll("[data-lang]")) {
      button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
    }
    redraw();
  };
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.addEventListener("click", () => choose(button.dataset.lang));
  }
  choose(document.documentElement.lang);
}

export function notice(kind, ...lines) {
  const place = byId("notice");
  place.className = kind;
  place.replaceChildren(
    ...lines.map((line) => {
      const paragraph = document.createElement("p");
      paragraph.textContent = line;
      return paragraph;
    }),
  );
}

export function refuse(error) {
  if (error instanceof RefusedError) {
    notice("bad", say(error.reason), error.what);
  } else if (error instanceof DOMException) {
    notice("bad", say(error.name === "NotAllowedError" ? "notAllowed" : "deviceFailed"), error.name);
  } else {
    notice("bad", say("fault"), String(error));
  }
  byId("notice").focus();
}

// Rows [name, value]; a value is text, and never read as anything else.
export function rows(place, members) {
  place.replaceChildren(
    ...members.flatMap(([name, value, code]) => {
      const term = document.createElement("dt");
      term.textContent = say(name);
      const meaning = document.createElement("dd");
      meaning.textContent = value;
      meaning.dataset.field = name;
      if (code) meaning.className = "code";
      return [term, meaning];
    }),
  );
}

export async function showExact(payload) {
  byId("exact").textContent = text(payload);
  byId("exact-hash").textContent = hex(await sha256(payload));
  byId("exact").dataset.payload = base64(payload);
}

export const actorText = (actor) =>
  [actor.name, actor.post, actor.unit, actor.id].filter((part) => part !== "").join(" · ");

export function options(select, choices) {
  select.replaceChildren(
    ...choices.map(([value, label]) => {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = label;
      return option;
    }),
  );
}
