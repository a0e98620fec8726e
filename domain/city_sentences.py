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
    "edition_unknown": (
        "没有此版类别目录[（第 {version} 版）]。请查看 GET /api/v1/catalogue/editions。",
        "There is no such edition of the catalogue[: version {version}]. See GET /api/v1/catalogue/editions.",
    ),
    "routing_not_yours": (
        "群众不能查询派遣规则。请直接上报问题。",
        "Residents cannot look up who would answer. Just report the problem.",
    ),
    "record_not_found": (
        "目录中没有这一项。请核对编号。",
        "The directory has no such record. Check the id.",
    ),
    "reference_unknown": (
        "[{field} ]所引用的项不存在[：{given}]。请先建立，或改引用别的。",
        "What[ {field}] refers to does not exist[: {given}]. Create it first, or refer to something else.",
    ),
    "reference_retired": (
        "[{field} ]所引用的项已停用[：{given}]。请先恢复，或改引用别的。",
        "What[ {field}] refers to is retired[: {given}]. Restore it first, or refer to something else.",
    ),
    "inside_itself": (
        "不能放到自己或自己的下级之下[（{given}）]。请另选上级。",
        "Nothing can be put below itself or below what is under it[ ({given})]. Choose another parent.",
    ),
    "area_needs_parent": (
        "本市只能有一个最上级辖区。请填写上级[（{given}）]。",
        "There is one city only: every other area needs a parent[ ({given})].",
    ),
    "only_grids_have_a_kind": (
        "只有网格分块状、条形、单位型[（{given}）]。请去掉 kind。",
        "Only grids are blocks, lines or compounds[ ({given})]. Leave `kind` out.",
    ),
    "level_out_of_order": (
        "辖区级别须低于上级、高于下级[（{given}）]。请核对级别和上级。",
        "An area's level lies below its parent's and above its children's[ ({given})]. Check level and parent.",
    ),
    "user_needs": (
        "此角色[（{role}）]缺少必填项[ {field}]。请补上。",
        "This role[ ({role})] lacks something it needs[: {field}]. Add it.",
    ),
    "shape_invalid": (
        "边界图形有误[，在经纬度 {place} 处]，见 errors。请改正后再试。",
        "The shape is wrong[ at longitude and latitude {place}], see `errors`. Mend it and try again.",
    ),
    "still_in_use": (
        "仍在使用，不能停用[（{given}）][，涉及：{standing}]。请先按 obstacles 逐项处理。",
        "It is still in use[ ({given})][ by {standing}] and cannot be retired. Deal with `obstacles` first.",
    ),
    "not_in_your_area": (
        "不在您管理的辖区之内[（{given}）]。请由上级管理员办理。",
        "That lies outside the area you administer[ ({given})]. Ask an administrator of the larger area.",
    ),
    "not_yourself": (
        "不能停用自己，也不能改自己的角色[（{given}）]。请由另一位管理员办理。",
        "Nobody retires himself or changes his own role[ ({given})]. Ask another administrator.",
    ),
    "if_match_required": (
        "请先读取再修改，并在 If-Match 中带上读到的 ETag；新建时带 If-None-Match: *。",
        "Read it first and send its ETag as If-Match; to create, send If-None-Match: *.",
    ),
    "exists_already": (
        "此编号已存在[（{given}）]。如要修改，请先读取。",
        "There is one of that id already[ ({given})]. To change it, read it first.",
    ),
    "changed_since": (
        "在您读取之后已被他人修改[（{given}）]。请重新读取后再改。",
        "It was changed since you read it[ ({given})]. Read it again, then change it.",
    ),
}
