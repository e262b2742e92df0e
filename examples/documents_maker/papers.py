"""The papers: a contract, an audit report, a memorandum, rules, a retention schedule."""
# Half of the texts are Chinese and use Chinese punctuation.

from __future__ import annotations

from .content import Heading, Paper, Table
from .letters import OFFICE, SPECIMEN

__all__ = ["AUDIT", "CONTRACT", "MEMORANDUM", "RETENTION", "RULES"]

_COMPANY = "云河青禾档案服务有限公司"

CONTRACT = Paper(
    title="档案数字化加工服务合同",
    subtitle=("合同编号：云财采合〔2026〕17号（合同-2026-017）", "签订地点：云河市"),
    parts=(
        f"甲方（采购人）：{OFFICE}",
        f"乙方（供应商）：{_COMPANY}",
        (
            "根据《中华人民共和国民法典》《中华人民共和国政府采购法》等法律法规，"
            "甲乙双方在平等自愿的基础上，就档案数字化加工服务事宜订立本合同。"
        ),
        Heading(text="第一条　服务内容和价款"),
        Table(
            head=("序号", "服务项目", "单位", "数量", "单价（元）", "金额（元）"),
            rows=(
                ("1", "A4幅面扫描与图像处理", "页", "320,000", "0.35", "112,000.00"),
                ("2", "A3及以上图纸扫描", "页", "18,000", "1.20", "21,600.00"),
                ("3", "目录著录与挂接", "条", "42,000", "0.60", "25,200.00"),
                ("4", "质检与数据封装", "项", "1", "8,600.00", "8,600.00"),
                ("", "合计", "", "", "", "167,400.00"),
            ),
            shares=(0.08, 0.34, 0.08, 0.15, 0.16, 0.19),
            numbers=frozenset({3, 4, 5}),
        ),
        (
            "合同总价为人民币壹拾陆万柒仟肆佰元整（￥167,400.00），为含税固定单价合同，"
            "按实际验收数量结算，结算总价不超过合同总价。"
        ),
        Heading(text="第二条　服务期限和地点"),
        (
            "服务期限自2026年4月13日起至2026年9月30日止。服务地点为甲方指定的档案整理用房，"
            "乙方不得将档案实体或者数据带离该地点。"
        ),
        Heading(text="第三条　付款方式"),
        "（一）合同生效后10个工作日内，甲方支付合同总价的30%，即50,220.00元；",
        "（二）全部批次验收合格后15个工作日内，支付合同总价的60%，即100,440.00元；",
        "（三）质量保证期满一年无质量问题的，支付剩余10%，即16,740.00元。",
        Heading(text="第四条　质量要求和验收"),
        (
            "扫描分辨率不低于300DPI，图像与原件逐页对应。甲方按不低于5%的比例抽检，"
            "差错率高于3‰的，该批次整批返工，费用由乙方承担。"
        ),
        Heading(text="第五条　数据存证"),
        (
            "乙方每日提交的成果数据包应当附摘要值清单，由甲方登记存证。"
            "双方对成果数据发生争议的，以登记存证的摘要值作为核对依据。"
        ),
        Heading(text="第六条　保密责任"),
        (
            "乙方及其工作人员对接触到的档案内容负有保密义务，该义务不因合同终止而解除。"
            "乙方违反本条的，应当按照合同总价的20%支付违约金，并赔偿由此造成的损失。"
        ),
        Heading(text="第七条　违约责任和争议解决"),
        (
            "乙方逾期交付的，每逾期一日按合同总价的千分之一支付违约金。"
            "因履行本合同发生争议的，双方协商解决；协商不成的，提交云河仲裁委员会仲裁。"
        ),
        Heading(text="第八条　其他"),
        "本合同一式肆份，双方各执贰份，自双方签字盖章之日起生效。",
    ),
    signatures=(
        ("甲方（盖章）：", "乙方（盖章）："),
        (OFFICE, _COMPANY),
        ("授权代表：顾明澈", "授权代表：叶听澜"),
        ("日期：2026年4月2日", "日期：2026年4月2日"),
    ),
    seals=(OFFICE, _COMPANY),
    seal_foot=SPECIMEN,
)

AUDIT = Paper(
    title="Internal Audit Report, First Quarter 2026",
    subtitle=(
        "Yunhe Municipal Finance Bureau, Internal Audit Division",
        "Report no. IA-2026-03, issued 20 April 2026",
    ),
    parts=(
        Heading(text="1. Purpose and scope"),
        (
            "This report presents the results of the internal audit of payments, contracts and "
            "records handling for the period from 1 January to 31 March 2026. The audit covered "
            "412 payment vouchers with a total value of CNY 18,240,615.30, 37 contracts, and the "
            "register of incoming and outgoing letters."
        ),
        Heading(text="2. Sample and results"),
        (
            "Vouchers were drawn at random with a recorded seed, so that the same sample can be "
            "drawn again. For every voucher the digest of the scanned original was compared with "
            "the one logged on the day of payment."
        ),
        Table(
            head=("Area", "Population", "Sampled", "Exceptions", "Amount (CNY)"),
            rows=(
                ("Payment vouchers", "412", "60", "2", "14,380.00"),
                ("Procurement contracts", "37", "37", "1", "8,600.00"),
                ("Outgoing letters", "168", "40", "0", "0.00"),
                ("Fixed assets", "1,386", "120", "2", "5,916.00"),
                ("Total", "2,003", "257", "5", "28,896.00"),
            ),
            shares=(0.32, 0.16, 0.15, 0.17, 0.2),
            numbers=frozenset({1, 2, 3, 4}),
        ),
        Heading(text="3. Findings"),
        (
            "3.1 Two vouchers (nos. 2026-0117 and 2026-0243) were scanned again after payment. The "
            "second scan differs from the logged digest. The content is the same; the paper "
            "originals were presented and agree with the first scan. Risk: low."
        ),
        (
            "3.2 An amendment to contract 2026-009 was signed eleven days before it was logged. "
            "The rule requires the same day. Risk: medium."
        ),
        (
            "3.3 Two assets (one laptop computer, one document scanner) could not be located at "
            "the count. Risk: medium."
        ),
        Heading(text="4. Recommendations"),
        "(a) Scan originals once, at intake, and log the scan before the voucher is paid.",
        "(b) Let the contract register refuse an amendment that has no receipt.",
        "(c) Report the missing assets to the asset committee by 30 April 2026.",
        Heading(text="5. Opinion"),
        (
            "Subject to the findings above, controls over payments and records were adequate and "
            "effective in the period under review."
        ),
    ),
    signatures=(
        ("Prepared by: Bai Yanqiu", "Reviewed by: Lu Qinghe"),
        ("Auditor", "Head of Internal Audit"),
        ("17 April 2026", "20 April 2026"),
    ),
)

MEMORANDUM = Paper(
    title="Memorandum of Understanding on the Exchange of Records",
    subtitle=(
        "between the Yunhe Municipal Finance Bureau and the Yunhe Municipal Archives",
        "Signed on 18 March 2026",
    ),
    parts=(
        (
            "The Yunhe Municipal Finance Bureau (the Bureau) and the Yunhe Municipal Archives (the "
            "Archives), together the Parties, agree as follows."
        ),
        Heading(text="Article 1. Subject"),
        (
            "The Bureau transfers its permanent records to the Archives in electronic form, with "
            "the metadata and the evidence needed to show that they have not been altered since "
            "they were issued."
        ),
        Heading(text="Article 2. Form of a transfer"),
        (
            "A transfer consists of the records, a list with the digest of each file, and the "
            "evidence bundle of each record. The Archives checks the digests on receipt and "
            "returns a signed list within ten working days."
        ),
        Heading(text="Article 3. Disagreement"),
        (
            "If a digest does not agree, the record is not accepted. The Parties compare it with "
            "the paper original, and both keep a note of the result. Neither Party replaces a "
            "file that has been logged."
        ),
        Heading(text="Article 4. Access"),
        (
            "Records open to the public are made available within thirty days. Other records are "
            "made available under the rules that apply to the Bureau, and every use is recorded."
        ),
        Heading(text="Article 5. Costs and term"),
        (
            "Each Party bears its own costs. This memorandum takes effect on signature, for five "
            "years, and may be ended by either Party with six months' notice in writing."
        ),
    ),
    signatures=(
        ("For the Bureau: Lin Zhiyuan", "For the Archives: Song Jingchu"),
        ("Director", "Director"),
    ),
)

RULES = Paper(
    title="云河市财政局档案管理办法（征求意见稿）",
    subtitle=("局办公室起草　2026年5月8日", "征求意见截止日期：2026年5月29日"),
    parts=(
        Heading(text="第一章　总则"),
        (
            "第一条　为了加强和规范本局档案管理，维护档案的真实、完整、可用和安全，"
            "根据《中华人民共和国档案法》及有关规定，结合本局实际，制定本办法。"
        ),
        (
            "第二条　本办法所称档案，是指本局在履行职责过程中形成的，"
            "具有保存价值的各种文字、图表、声像等不同形式的历史记录。"
        ),
        "第三条　档案工作实行统一领导、分级管理，办公室是本局档案工作的主管部门。",
        Heading(text="第二章　收集与归档"),
        (
            "第四条　公文办理完毕后，应当在次年6月30日前移交办公室归档，"
            "任何人不得据为己有或者拒绝归档。"
        ),
        "第五条　电子文件应当与其元数据一并归档，归档格式以OFD、PDF/A为主。",
        (
            "第六条　重要文件应当自形成之日登记存证，登记后不得替换；"
            "更正的，另行登记并注明原登记编号。"
        ),
        Heading(text="第三章　保管期限"),
        "第七条　档案保管期限分为永久、定期30年和定期10年，具体划分如下表。",
        Table(
            head=("序号", "文件类别", "保管期限", "责任科室"),
            rows=(
                ("1", "本局制发的规范性文件", "永久", "办公室"),
                ("2", "局长办公会议纪要", "永久", "办公室"),
                ("3", "部门预算、决算的批复", "永久", "预算科"),
                ("4", "政府采购合同", "30年", "采购监管科"),
                ("5", "会计凭证、账簿", "30年", "国库支付中心"),
                ("6", "一般性通知、来函", "10年", "各承办科室"),
            ),
            shares=(0.1, 0.45, 0.2, 0.25),
        ),
        Heading(text="第四章　附则"),
        "第八条　本办法由办公室负责解释，自2026年7月1日起施行。",
    ),
)

RETENTION = Paper(
    title="Records Retention Schedule",
    subtitle=("Yunhe Municipal Finance Bureau", "Version 3, in force from 1 July 2026"),
    parts=(
        Heading(text="Purpose"),
        (
            "This schedule states how long each series of records is kept, which office is "
            "responsible for it, and what happens at the end of the period."
        ),
        Heading(text="Series"),
        Table(
            head=("No.", "Series", "Kept for", "At the end", "Volumes"),
            rows=(
                ("R-01", "Regulations and policies issued", "permanent", "transfer", "218"),
                ("R-02", "Minutes of the directors' meeting", "permanent", "transfer", "96"),
                ("R-03", "Budgets and final accounts", "permanent", "transfer", "342"),
                ("R-04", "Procurement contracts", "30 years", "review", "611"),
                ("R-05", "Accounting vouchers and ledgers", "30 years", "destroy", "2,740"),
                ("R-06", "Routine correspondence", "10 years", "destroy", "209"),
                ("", "Total", "", "", "4,216"),
            ),
            shares=(0.1, 0.42, 0.17, 0.16, 0.15),
            numbers=frozenset({4}),
        ),
        Heading(text="Disposal"),
        (
            "No record is destroyed without a list approved by the director. The list, the "
            "approval and the statement of the two persons who carried it out are kept "
            "permanently. The evidence that a record existed is never destroyed with the record."
        ),
    ),
    signatures=(("Approved: Lin Zhiyuan, Director", "26 June 2026"),),
)
