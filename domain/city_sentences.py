"""What may be wrong with a change to the city: directory, catalogue, routing, rules. See `domain/sentences.py`."""

from domain.words import Words

CITY: dict[str, Words] = {
    "version_not_next": (
        "版本号须为下一版[（{name} 的下一版是第 {following} 版）]。可能刚有他人发布，请重新预览。",
        "The version must be the next one[ (of {name} it is {following})]. Look at the preview again: it may be news.",
    ),
    "calendar_invalid": (
        "日历有误[：{reason}]。请改正后再试。",
        "The calendar is wrong[: {reason}]. Mend it and try again.",
    ),
    "year_not_known": (
        "系统自带的数据没有[ {year} ]年的放假安排。请填写节假日。",
        "The package in use does not know the holidays[ of {year}]. Send them.",
    ),
    "rules_invalid": (
        "政策或阶梯有误，见 errors。请改正后再试。",
        "The policy or the ladder is wrong, see `errors`. Mend it and try again.",
    ),
    "rules_not_in_force": (
        "新版本须沿用现行的 id[（{name}）]。",
        "The next version must keep the id in force[ ({name})].",
    ),
}
