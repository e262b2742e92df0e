// Every sentence that the scripts show, in both languages.

const both = (en, zh) => ({ en, "zh-CN": zh });

export const texts = {
  approveTitle: both("Approve a document", "审批文件"),
  enrolTitle: both("Make a passkey", "登记通行密钥"),
  // what will be signed
  document: both("Document", "文件"),
  digest: both("Digest (SHA-256)", "摘要(SHA-256)"),
  sm3: both("Digest (SM3)", "摘要(SM3)"),
  event: both("Event", "事项"),
  step: both("Step", "步骤"),
  decision: both("Decision", "决定"),
  policy: both("Approval rules", "审批规则"),
  noPolicy: both("the record names none", "该案卷未指定"),
  actor: both("Signed by", "签署人"),
  record: both("Record", "记录"),
  ledger: both("Ledger", "账本"),
  block: both("Not before block", "不早于区块"),
  prior: both("After entry", "在此条目之后"),
  time: both("Stated time (proves nothing)", "所述时间(不构成证明)"),
  owner: both("Owner of the key", "密钥持有人"),
  may: both("May sign", "可签署事项"),
  site: both("Only on", "仅限网站"),
  key: both("Public key", "公钥"),
  root: both("Answered for by", "由其负责"),
  approved: both("approved", "同意"),
  rejected: both("rejected", "不同意"),
  approve: both("approve", "审批"),
  countersign: both("countersign", "会签"),
  register: both("register a key", "登记密钥"),
  // what happens
  reading: both("Asking the ledger …", "正在询问账本……"),
  read: both("Read every line. Nothing has been signed.", "请逐行核对。尚未签署任何内容。"),
  signing: both("Unlock your device to sign.", "请在设备上验证身份以签署。"),
  done: both("Signed and recorded.", "已签署并记录。"),
  enrolled: both(
    "Made. Take the file below to those who hold the root keys; they register it.",
    "已生成。请将下方文件交给根密钥持有人,由其完成登记。",
  ),
  noPasskeys: both(
    "No passkey of this site is registered. Make one first.",
    "本网站尚无已登记的通行密钥,请先登记。",
  ),
  sameFile: both("The file is this very document.", "该文件正是所列文件。"),
  otherFile: both(
    "The file is NOT this document. Do not approve.",
    "该文件不是所列文件。请勿审批。",
  ),
  // refusals
  refusal: both("The ledger refuses.", "账本拒绝。"),
  malformed: both(
    "What the ledger prepared is not a statement that can be signed. Nothing was signed.",
    "账本所备内容不是可签署的声明。未签署任何内容。",
  ),
  otherThanAsked: both(
    "The ledger prepared something else than was asked for. Nothing was signed.",
    "账本所备内容与请求不符。未签署任何内容。",
  ),
  otherPasskey: both(
    "Another passkey signed than the one that is registered. Nothing was sent.",
    "签署所用并非已登记的通行密钥。未发送任何内容。",
  ),
  otherAlgorithm: both(
    "This device makes no keys on P-256. Nothing was made.",
    "此设备不支持 P-256 密钥。未生成任何内容。",
  ),
  notVerified: both(
    "The device did not verify its user. Nothing was sent.",
    "设备未验证用户身份。未发送任何内容。",
  ),
  notAllowed: both(
    "The device did not sign: it was cancelled, or its user was not verified.",
    "设备未签署:操作被取消,或未通过身份验证。",
  ),
  deviceFailed: both("The device failed.", "设备出错。"),
  unreachable: both("The ledger cannot be reached.", "无法连接账本。"),
  impossible: both(
    "Passkeys need https (or localhost) and a browser that knows them.",
    "通行密钥需要 https(或 localhost)以及支持它的浏览器。",
  ),
  fault: both("Something went wrong; nothing was sent.", "发生错误;未发送任何内容。"),
};
