"""What the things of a case are called, in Chinese and in English. For people; programs use the values."""

from typing import Literal

Lang = Literal["zh", "en"]
Words = tuple[str, str]

STAGES: dict[str, Words] = {
    "intake": ("核实", "intake"),
    "assignment": ("派遣签收", "assignment"),
    "rectification": ("整改处置", "rectification"),
    "reinspection": ("核查", "reinspection"),
    "closure": ("结案", "closure"),
    "archived": ("归档", "archived"),
    "dismissed": ("不予立案", "dismissed"),
    "withdrawn": ("作废", "withdrawn"),
    "force_closed": ("强制结案", "force-closed"),
}
COMMANDS: dict[str, Words] = {
    "open": ("上报", "report"),
    "verify": ("核实", "verify"),
    "dismiss": ("不予立案", "dismiss"),
    "assign": ("派遣", "assign"),
    "accept": ("签收", "accept"),
    "return": ("退回", "return"),
    "submit": ("处置反馈", "submit"),
    "submit-plan": ("报送方案", "submit a plan"),
    "decide-plan": ("审批方案", "decide on a plan"),
    "join": ("合并上报", "join a report"),
    "request-extension": ("申请延期", "request an extension"),
    "decide-extension": ("审批延期", "decide on an extension"),
    "suspend": ("挂账", "suspend"),
    "resume": ("恢复计时", "resume"),
    "inspect": ("核查", "inspect"),
    "urge": ("催办", "urge"),
    "supervise": ("督办", "supervise"),
    "withdraw": ("作废", "withdraw"),
    "force-close": ("强制结案", "force-close"),
    "rate": ("评价", "rate"),
    "appeal": ("申诉", "appeal"),
    "decide-appeal": ("审理申诉", "decide on an appeal"),
    "reopen": ("重开", "reopen"),
    "comment": ("留言", "comment"),
}
ROLES: dict[str, Words] = {
    "resident": ("群众", "resident"),
    "officer": ("网格员", "grid officer"),
    "unit": ("责任单位", "responsible unit"),
    "dispatcher": ("派遣员", "dispatcher"),
    "supervisor": ("督查", "supervisor"),
    "admin": ("管理员", "administrator"),
}
CLOCKS: dict[str, Words] = {
    "unit": ("处置", "rectification"),
    "intake": ("核实", "intake"),
    "dispatch": ("派遣", "dispatch"),
    "acceptance": ("签收", "acceptance"),
    "inspection": ("核查", "inspection"),
    "window": ("结案后窗口", "closure window"),
}
ACTIONS: dict[str, Words] = {
    "remind": ("提醒", "remind"),
    "warn": ("预警", "warn"),
    "urge": ("催办", "urge"),
    "supervise": ("督办", "supervise"),
    "yellow_card": ("黄牌", "yellow card"),
    "red_card": ("红牌", "red card"),
    "summon": ("约谈", "summon"),
}
AUDIENCES: dict[str, Words] = {
    "unit": ("责任单位", "unit"),
    "reporter": ("上报人", "reporter"),
    "officers": ("网格员", "officers"),
    "dispatcher": ("派遣员", "dispatcher"),
    "supervisor": ("督查", "supervisor"),
    "city": ("市级", "city"),
}
DIRECTIONS: dict[str, Words] = {
    "north": ("北", "north"),
    "northeast": ("东北", "north-east"),
    "east": ("东", "east"),
    "southeast": ("东南", "south-east"),
    "south": ("南", "south"),
    "southwest": ("西南", "south-west"),
    "west": ("西", "west"),
    "northwest": ("西北", "north-west"),
}
DATUMS: dict[str, Words] = {
    "wgs84": ("WGS-84（手机定位）", "WGS-84 (GPS)"),
    "gcj02": ("GCJ-02（高德、腾讯）", "GCJ-02 (Amap, Tencent)"),
    "bd09": ("BD-09（百度）", "BD-09 (Baidu)"),
    "cgcs2000": ("CGCS2000（国家大地坐标系）", "CGCS2000 (surveyors)"),
}
#: What may stand in the way of retiring something.
STANDING: dict[str, Words] = {
    "area": ("辖区", "areas"),
    "unit": ("单位", "units"),
    "user": ("人员", "users"),
    "point": ("点位", "points"),
    "routing": ("派遣规则", "routing rows"),
    "case": ("未结案卷", "running cases"),
}
#: Which table explains a parameter of an error or of an event.
_TABLES: dict[str, dict[str, Words]] = {
    "stage": STAGES,
    "command": COMMANDS,
    "role": ROLES,
    "clock": CLOCKS,
    "action": ACTIONS,
    "audience": AUDIENCES,
    "direction": DIRECTIONS,
    "fitting": DATUMS,
    "standing": STANDING,
}


def word(kind: str, value: str, lang: Lang) -> str:
    """The word for a value of this kind, or the value itself where there is none."""
    chinese, english = _TABLES.get(kind, {}).get(value, (value, value))
    return chinese if lang == "zh" else english
