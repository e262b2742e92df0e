"""The files without markup: text, a register as CSV, a message."""
# Half of the texts are Chinese and use Chinese punctuation.

from __future__ import annotations

__all__ = ["COMMENTS", "DUTY_LOG", "MESSAGE", "REGISTER", "TRANSFER_NOTE"]

DUTY_LOG = """\
云河市财政局值班记录

日期：2026年3月18日（星期三）    天气：多云
带班领导：陆清禾    值班员：温书宁、程若川

08:30  与夜班交接，安防、消防、机房设备正常。
09:12  收市政府办公室机要文件2件，已登记并送局办公室。
09:40  《关于开展2026年度档案数字化工作的通知》（云财办〔2026〕17号）盖章，印发36份。
10:05  上述通知登记存证，回执已存入收发文系统。
11:20  市审计局来电，询问2025年度决算报表报送时间，已转国库科答复。
14:30  档案库房温度21.5℃，相对湿度52%，符合要求。
16:45  接收青禾公司样品扫描件1批，共120页，核对无误。
17:30  下班巡查，门窗、电源已关闭。
20:00  夜间巡查，无异常。

交班人：温书宁        接班人：白砚秋
"""

TRANSFER_NOTE = """\
YUNHE MUNICIPAL FINANCE BUREAU
Records transfer note

Box            12 of 38
Series         R-04 Procurement contracts
Period         2011-01-01 to 2013-12-31
Volumes        24
Pages          1,862
From           Procurement Supervision Division (Cheng Ruochuan)
To             General Office, records room (Su Yu'an)
Date           2026-03-27

No.   Volume        Pages   Condition
 1    2011-C-003      84    good
 2    2011-C-007      61    good
 3    2011-C-012     103    staple rust on pages 1 to 4
 4    2011-C-015      77    good
 5    2012-C-001      92    cover torn
 6    2012-C-002      58    page 31 missing at receipt
 ...  continued on the attached list

Handed over by two persons and counted by two persons.
Signed:  Cheng Ruochuan    Su Yu'an
"""

COMMENTS = """\
《云河市财政局档案管理办法（征求意见稿）》修改意见汇总

一、办公室：第四条“次年6月30日前”建议改为“次年5月31日前”，与市档案馆进馆时间衔接。
    采纳情况：未采纳。理由：会计档案在次年6月方能整理完毕。

二、预算科：第七条表格第3项建议增加“绩效评价报告”。
    采纳情况：采纳，列入第七次修改稿。

三、采购监管科：第六条“重要文件”的范围不够明确，建议列举。
    采纳情况：部分采纳。拟在附件中列举，包括规范性文件、会议纪要、合同、批复四类。

四、国库支付中心：无意见。

汇总人：苏予安
2026年6月3日
"""

MESSAGE = """\
From: Song Jingchu <song.jingchu@archives.yunhe.example>
To: Su Yu'an <su.yuan@finance.yunhe.example>
Date: Mon, 30 Mar 2026 15:04:11 +0800
Subject: Re: Box 12, page 31 of volume 2012-C-002
Message-ID: <20260330150411.0031@archives.yunhe.example>
In-Reply-To: <20260330093855.0117@finance.yunhe.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Dear Ms Su,

thank you for the note. We counted volume 2012-C-002 again this morning with two
persons: 58 pages, and page 31 is missing. The list of 2013 already says so, hence
the page was lost before the first transfer, not now.

Please leave your transfer note as it is and log our list next to it. (原移交单不作修改。)

Kind regards,
Song Jingchu
Yunhe Municipal Archives
"""

REGISTER = (
    ("序号", "方向", "文号", "标题", "来文/发文机关", "日期", "份数", "密级", "经办人", "去向"),
    ("1", "收", "云政办函〔2026〕3号", "关于报送2026年重点工作任务的函", "市政府办公室",
     "2026-01-08", "1", "无", "温书宁", "办公室"),
    ("2", "发", "云财预〔2026〕1号", "关于批复2026年部门预算的通知", "预算科",
     "2026-01-22", "84", "无", "程若川", "各预算单位"),
    ("3", "收", "云审函〔2026〕6号", "关于调阅2025年度会计资料的函", "市审计局",
     "2026-02-03", "1", "无", "温书宁", "国库科"),
    ("4", "发", "云财函〔2026〕12号", "关于提供2025年度会计资料的复函", "国库科",
     "2026-02-10", "2", "无", "白砚秋", "市审计局"),
    ("5", "收", "云档函〔2026〕4号", "关于做好2026年度进馆工作的函", "市档案馆",
     "2026-02-25", "1", "无", "温书宁", "办公室"),
    ("6", "发", "〔2026〕5号", "2026年第5次局长办公会议纪要", "办公室",
     "2026-03-13", "22", "无", "温书宁", "局领导，各科室"),
    ("7", "发", "云财办〔2026〕17号", "关于开展2026年度档案数字化工作的通知", "办公室",
     "2026-03-18", "36", "无", "苏予安", "各科室，各事业单位"),
    ("8", "收", "青禾〔2026〕2号", "关于档案数字化项目进场准备的函",
     "云河青禾档案服务有限公司",
     "2026-04-07", "1", "无", "温书宁", "办公室"),
    ("9", "发", "云财报〔2026〕9号", "关于2026年上半年预算执行情况的报告", "预算科",
     "2026-07-10", "3", "无", "程若川", "市人民政府"),
)  # fmt: skip
"""Rows of the register of letters, the head first."""
