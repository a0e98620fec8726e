"""What may be wrong with a report that opens a case. See `domain/sentences.py`."""

from domain.words import Words

REPORT: dict[str, Words] = {
    "unknown_category": (
        "没有此问题类别[（{category}）]。请从现行目录[（{catalogue} 第 {version} 版）]中选择：GET /api/v1/catalogue。",
        "There is no such category[: {category}]. Choose from GET /api/v1/catalogue[: {catalogue}, version {version}].",
    ),
    "unknown_condition": (
        "此类别下没有该立案条件[（{condition}）]。请从目录中选择。",
        "The category has no such condition[: {condition}]. Choose one from the catalogue.",
    ),
    "unknown_unit": (
        "没有此责任单位[（{unit}）]。请从单位名录中选择。",
        "There is no such unit[: {unit}]. Choose one from the directory.",
    ),
    "unknown_area": (
        "没有此辖区[（{area}）]。请从辖区名录中选择。",
        "There is no such area[: {area}]. Choose one from the directory.",
    ),
    "unknown_grid": (
        "没有此网格[（{grid}）]。请从网格名录中选择。",
        "There is no such grid[: {grid}]. Choose one from the directory.",
    ),
    "unknown_place_type": (
        "没有此点位类型[（{place_type}）]。请从点位类型中选择。",
        "There is no such place type[: {place_type}]. Choose one from the list.",
    ),
    "outside_city": (
        (
            "位置不在本市范围内[，在最近的网格 {nearest_zh}（{nearest}）{direction}侧约 {metres} 米处]。"
            "[若坐标系为 {fitting}，则在范围内。]请核对坐标和坐标系。"
        ),
        (
            "The place is outside the city[, about {metres} m {direction} of {nearest_en} ({nearest})]. "
            "[It would be inside if the datum were {fitting}. ]Check the coordinates and their datum."
        ),
    ),
    "coordinates_swapped": (
        "经度和纬度写反了。应先写经度[ {lon}]，再写纬度[ {lat}]。",
        "Longitude and latitude are swapped. Longitude[, {lon},] comes first, then latitude[, {lat}].",
    ),
    "unknown_point": (
        "没有此点位[（{point}）]，或已停用。请从点位名录中选择。",
        "There is no such registered place[: {point}], or it is retired. Choose one from the list.",
    ),
    "point_elsewhere": (
        "坐标不在该点位[（{point}）]处[：相距约 {metres} 米，最远 {most} 米]。请核对坐标，或去掉点位。",
        "The coordinates are not at that place[ ({point})][: {metres} m off, {most} at most]. Check them, or omit it.",
    ),
    "location_missing": (
        "缺少位置。请提供坐标、地址或点位，仅有网格不够。",
        "The place is missing. Give coordinates, an address or a registered place; a grid alone is not enough.",
    ),
    "grid_mismatch": (
        "坐标与网格不符[：填写 {given}，坐标在 {actual}]。请改正其一。",
        "The coordinates are not in that grid[: {given} was given, they are in {actual}]. Correct one of the two.",
    ),
    "datum_unknown": (
        "坐标系无法识别[（{datum}）]。请用手机或地图所用的坐标系[：{known}]。",
        "The datum is not known[: {datum}]. Give that of the device or the map[: {known}].",
    ),
    "coordinates_invalid": (
        "坐标有误。经度须在 ±180 之间，纬度须在 ±90 之间。",
        "The coordinates are not valid. Longitude lies within ±180, latitude within ±90.",
    ),
    "discovered_in_future": (
        "发现时间[（{discovered_at}）]在将来。请校准手机时间。",
        "The time of discovery[, {discovered_at},] lies in the future. Check the device's clock.",
    ),
    "closed_before_opened": (
        "结案时间早于发现时间。请核对台账中的两个日期。",
        "It was closed before it was discovered. Check the two dates in the ledger.",
    ),
    "source_not_yours": (
        "您不能使用此来源[（{source}）]上报。请改用您的渠道[：{allowed}]。",
        "You may not report with this source[: {source}]. Use your own[: {allowed}].",
    ),
    "severity_not_yours": (
        "您不能指定此紧急程度[（{severity}）]。请留空，由系统确定。",
        "You may not set this severity[: {severity}]. Leave it out.",
    ),
    "severity_invalid": (
        "紧急程度无效[（{severity}）]。请用 low、normal、high 或 urgent。",
        "The severity is not valid[: {severity}]. Use low, normal, high or urgent.",
    ),
    "self_handling_not_yours": (
        "只有网格员可以登记自行处置。请按普通问题上报。",
        "Only a grid officer may file what was put right on the spot. Report it as an ordinary case.",
    ),
    "possible_duplicate": (
        "附近已有同类未结案卷[（{count} 件）]。是同一问题的请合并上报（join）；不是的请带 confirm_new 再次提交。",
        "There are open cases of this kind near by[: {count}]. Join the one it is, or report again with confirm_new.",
    ),
    "unknown_reporter": (
        "没有可以上报的此用户[（{user}）]。请核对登录名。",
        "There is no such user who may report[: {user}]. Check the login.",
    ),
    "merge_into_itself": (
        "案卷不能并入自身。请填写保留案卷的编号。",
        "A case cannot be merged into itself. Give the number of the case that stays.",
    ),
    "merge_too_late": (
        "此案卷[处于“{stage}”阶段，]已不能并入其他案卷。请按流程办结。",
        "This case can no longer be merged into another[: its stage is {stage}]. Let it take its course.",
    ),
    "merge_into_ended": (
        "保留的案卷[处于“{stage}”阶段，]不能再并入。请选择未结案卷。",
        "The case that is to stay is closed[: its stage is {stage}]. Choose one that is open.",
    ),
}
