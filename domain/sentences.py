"""One helpful sentence for every error code, in Chinese and in English: what is wrong, and what to do.

A part in square brackets is left out when one of its `{params}` was not given, so that a sentence never fails
and never shows a hole. Knows nothing of who raises what; `tests/domain/test_sentences.py` compares the two.
"""

import re
from collections.abc import Mapping

from domain.words import Lang, Words, word

_CASE: dict[str, Words] = {
    "case_not_found": (
        "没有这个案卷，或您无权查看。请核对案卷号。",
        "There is no such case, or it is not yours to see. Check the case id.",
    ),
    "case_id_invalid": (
        "案卷号[“{id}”]有误，应形如 RC-XXXX-XXXX-XXXX。请逐位核对。",
        "The case id[ {id}] is mistyped; it looks like RC-XXXX-XXXX-XXXX. Check each character.",
    ),
    "role_forbidden": (
        "您的身份[（{role}）]不能对此案卷[进行“{command}”]操作。请由有权限的人员办理。",
        "You[, as {role},] may not do this[: {command}]. Ask somebody whose task it is.",
    ),
    "separation_of_duties": (
        "上报、整改、核查须由不同的人承担，申诉两次审理亦然。请由另一人办理。",
        "Reporter, fixer and inspector must be different people, and so must two reviewers. Ask somebody else.",
    ),
    "stage_forbids": (
        "案卷[现处于“{stage}”阶段，]不能[进行“{command}”]操作。请刷新后按可用操作办理。",
        "The case[ is in {stage} and] does not allow this now[: {command}]. Reload it and see which actions it offers.",
    ),
    "extensions_used_up": (
        "延期次数已用完。请按期处置，或申请挂账。",
        "No extension is left. Rectify in time, or ask for a suspension.",
    ),
    "extension_pending": (
        "已有一项延期申请待审批。请等待审批结果。",
        "An extension has been asked for already. Wait for the decision.",
    ),
    "no_extension_pending": (
        "没有待审批的延期申请。请刷新案卷。",
        "No extension is waiting for a decision. Reload the case.",
    ),
    "already_overdue": (
        "本轮已超期，不能再申请延期或挂账。请尽快处置并反馈。",
        "This round is overdue; it can be neither extended nor suspended. Rectify and submit.",
    ),
    "suspensions_used_up": (
        "挂账次数已用完。请处置并反馈，或申请延期。",
        "No suspension is left. Rectify and submit, or ask for an extension.",
    ),
    "already_suspended": (
        "案卷已挂账。如需改期，请先恢复计时。",
        "The case is suspended already. Resume it first.",
    ),
    "not_suspended": (
        "案卷未挂账，无需恢复。请刷新案卷。",
        "The case is not suspended. Reload it.",
    ),
    "return_not_allowed_after_acceptance": (
        "签收后不能退回。确非本单位职责的，请联系派遣员。",
        "It cannot be returned once accepted. Talk to the dispatcher if it is not yours.",
    ),
    "assignment_is_final": (
        "此次派遣为终局派遣，不能退回。请签收并处置。",
        "This assignment is final and cannot be returned. Accept it and rectify.",
    ),
    "already_rated": (
        "您已评价过此案卷，不能重复评价。",
        "You have rated this case already; it can be rated once.",
    ),
    "nothing_to_appeal": (
        "案卷没有超期，无需申诉。",
        "The case was not overdue; there is nothing to appeal against.",
    ),
    "already_appealed": (
        "此案卷已申诉过，每案只能申诉一次。",
        "An appeal was filed already; each case has one.",
    ),
    "no_appeal_pending": (
        "没有待审理的申诉。请刷新案卷。",
        "No appeal is waiting for a decision. Reload the case.",
    ),
    "already_submitted": (
        "贵单位已反馈本轮处置结果，无需重复提交。请等待主办单位。",
        "Your unit has submitted in this round already. Wait for the lead unit.",
    ),
    "unit_twice": (
        "同一单位[（{unit}）]不能既主办又协办。请从协办单位中去掉。",
        "A unit[ ({unit})] cannot lead and help at once. Take it off the co-units.",
    ),
    "co_units_pending": (
        "协办单位尚未反馈[：{units}]。请待其反馈后再提交。",
        "Co-units have not submitted yet[: {units}]. Submit when they have.",
    ),
    "milestone_not_next": (
        "不能报告此阶段[，下一阶段是第 {next} 段，共 {of} 段]。请按顺序报告；最后一段随处置反馈完成。",
        "This milestone is not the next one[ ({next} of {of} is)]. Go in order; the last is done by submitting.",
    ),
    "milestone_not_yours": (
        "分段进度由主办单位报告。请去掉 milestone 后提交。",
        "Milestones are reported by the lead unit. Leave `milestone` out.",
    ),
    "suspension_in_the_past": (
        "挂账截止时间[（{until}）]已过。请选择将来的时间。",
        "The suspension would end in the past[ ({until})]. Choose a later date.",
    ),
    "suspension_too_long": (
        "挂账时间过长[，最长 {max_days} 天]。请选择较早的日期。",
        "The suspension is too long[: {max_days} days at most]. Choose an earlier date.",
    ),
    "supervision_due_in_the_past": (
        "督办期限[（{due}）]已过。请选择将来的时间。",
        "The supervision would be due in the past[ ({due})]. Choose a later time.",
    ),
}
_EVIDENCE: dict[str, Words] = {
    "evidence_required": (
        "照片不足[：至少 {needed} 张，收到 {given} 张]。请补拍后再提交。",
        "Photos are missing[: {needed} needed, {given} given]. Add them and try again.",
    ),
    "evidence_unknown": (
        "没有找到照片[ {sha256}]。请先上传照片再引用。",
        "A photo was not found[: {sha256}]. Upload it first, then refer to it.",
    ),
    "evidence_not_found": (
        "没有这张照片，或您无权查看。请核对其摘要值。",
        "There is no such photo, or it is not yours to see. Check its digest.",
    ),
    "evidence_not_multipart": (
        "照片须以 multipart/form-data 上传，放在一个文件项中。",
        "A photo is uploaded as multipart/form-data, in one file part.",
    ),
    "evidence_empty": ("文件是空的。请重新选择照片。", "The file is empty. Choose the photo again."),
    "evidence_too_large": (
        "照片过大[，上限 {max_bytes} 字节]。请压缩后再上传。",
        "The photo is too large[: {max_bytes} bytes at most]. Make it smaller and upload it again.",
    ),
    "evidence_not_image": (
        "文件不是照片。请上传 JPEG、PNG、WebP 或 HEIC 图片。",
        "The file is not a photo. Upload a JPEG, PNG, WebP or HEIC picture.",
    ),
    "evidence_unsupported_format": (
        "不支持此图片格式[（{format}）]。请上传[ {accepted}]照片。",
        "This picture format is not supported[ ({format})]. Upload a photo[ as one of {accepted}].",
    ),
    "evidence_too_many_pixels": (
        "照片像素过多[，上限 {max_pixels} 像素、单边 {max_side}]。请缩小后再上传。",
        "The photo has too many pixels[: {max_pixels} at most, {max_side} a side]. Scale it down and upload it again.",
    ),
    "evidence_corrupt": (
        "照片已损坏，无法读取。请重新拍摄或上传。",
        "The photo is damaged and cannot be read. Take it or upload it again.",
    ),
}
_REQUEST: dict[str, Words] = {
    "unauthenticated": ("请先登录。", "Sign in first: a valid bearer token is needed."),
    "token_expired": ("登录已过期，请重新登录。", "The token has expired. Sign in again."),
    "malformed_body": ("请求内容有误。请按接口文档修改。", "The body is malformed. See the API's description."),
    "body_not_json": ("请求内容不是有效的 JSON。请检查格式。", "The body is not valid JSON. Check its syntax."),
    "field_invalid": (
        "[“{field}”]填写有误[：{reason}]。请修改后重新提交。",
        "A field[, {field},] is not valid[: {reason}]. Correct it and try again.",
    ),
    "unknown_field": (
        "没有[“{field}”]这一项。请检查拼写或删除。",
        "There is no such field[: {field}]. Check its spelling or leave it out.",
    ),
    "body_too_large": (
        "请求内容过大[，上限 {max_bytes} 字节]。照片请单独上传。",
        "The body is too large[: {max_bytes} bytes at most]. Upload photos separately.",
    ),
    "idempotency_key_invalid": (
        "Idempotency-Key 有误。请使用 1 至 200 个可见字符，如 UUID。",
        "The Idempotency-Key is not valid. Use 1 to 200 visible characters, such as a UUID.",
    ),
    "idempotency_key_reused": (
        "此 Idempotency-Key 已用于另一请求。新请求请换新的键。",
        "This Idempotency-Key was used for another request. Use a new key for a new request.",
    ),
    "cursor_invalid": (
        "翻页位置无效。请从第一页重新查询。",
        "The cursor is not valid. Start again from the first page.",
    ),
    "filter_invalid": (
        "查询条件[“{field}”]有误[：{reason}]。请修改后重试。",
        "A filter[, {field},] is not valid[: {reason}]. Correct it and try again.",
    ),
    "too_many_requests": (
        "请求过于频繁。请稍候，按 Retry-After 的秒数再试。",
        "Too many requests. Wait as long as Retry-After says.",
    ),
    "request_timeout": (
        "请求发送过慢，未能收全。请检查网络后重试。",
        "The request came too slowly and was not read to its end. Check the connection and try again.",
    ),
    "headers_too_large": (
        "请求头过大。请缩短地址或请求头。",
        "The address and headers are too large. Make them shorter.",
    ),
    "too_many_connections": (
        "连接过多。请稍候再试。",
        "Too many connections. Try again shortly.",
    ),
    "payload_key_missing": (
        "数据由密钥[“{key}”]加密，本机没有该密钥。请系统管理员补上密钥；案卷不会丢失。",
        "This machine lacks the key[ {key}] of encrypted data. The administrator must add it; nothing is lost.",
    ),
    "payload_damaged": (
        "加密数据校验未通过[（密钥“{key}”）]。请立即通知系统管理员。",
        "Encrypted data is not as it was written[ with {key}]. Tell the administrator at once.",
    ),
    "payload_misplaced": (
        "加密数据属于另一案卷。请立即通知系统管理员。",
        "Encrypted data belongs to another case. Tell the administrator at once.",
    ),
    "not_found": ("没有这个地址。请查阅接口文档。", "There is nothing at this address. See the API's description."),
    "method_not_allowed": (
        "此地址不支持该请求方法。请查阅接口文档。",
        "This address does not support the method. See the API's description.",
    ),
    "unsupported_media_type": (
        "不支持此内容类型。请使用 application/json，照片使用 multipart/form-data。",
        "This content type is not supported. Use application/json, or multipart/form-data for photos.",
    ),
    "not_acceptable": (
        "无法按要求的格式应答。请接受 application/json。",
        "The answer cannot be given in that format. Accept application/json.",
    ),
    "time_travel_off": (
        "时间快进未启用。请以 --time-travel 启动演示系统。",
        "Time travel is off. Start the demonstration with --time-travel.",
    ),
}
_REPORT: dict[str, Words] = {
    "unknown_category": (
        "没有此问题类别[（{category}）]。请从类别目录中选择。",
        "There is no such category[: {category}]. Choose one from the catalogue.",
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
        "位置不在本市范围内[，距最近的网格 {nearest} 约 {metres} 米]。请核对坐标和坐标系。",
        "The place is outside the city[, about {metres} m from {nearest}]. Check the coordinates and their datum.",
    ),
    "location_missing": (
        "缺少位置。请提供坐标或地址，仅有网格不够。",
        "The place is missing. Give coordinates or an address; a grid alone is not enough.",
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
}
_SYSTEM: dict[str, Words] = {
    "engine_unavailable": (
        "处理引擎暂时没有应答，您的操作可安全重试。请稍后再试。",
        "The engine does not answer at the moment. Repeating is safe; try again shortly.",
    ),
    "store_unavailable": (
        "数据库暂时没有应答，案卷本身不受影响。请稍后再试。",
        "The database does not answer at the moment; no case is lost. Try again shortly.",
    ),
    "internal_error": (
        "系统内部出错，已记录。请稍后再试，仍不行请联系管理员。",
        "Something went wrong on our side and was noted. Try again, or tell the administrator.",
    ),
}
SENTENCES: dict[str, Words] = {**_CASE, **_EVIDENCE, **_REQUEST, **_REPORT, **_SYSTEM}
_UNKNOWN: Words = ("出错了[（{code}）]。请联系管理员。", "Something went wrong[ ({code})]. Tell the administrator.")
_OPTIONAL = re.compile(r"\[([^\]]*)\]")
_PARAM = re.compile(r"\{(\w+)\}")


def sentence(code: str, params: Mapping[str, object], lang: Lang) -> str:
    """The sentence for `code` with its parameters filled in. Never fails."""
    chinese, english = SENTENCES.get(code, _UNKNOWN)
    template = chinese if lang == "zh" else english
    given = {"code": code, **params} if code not in SENTENCES else params
    return _OPTIONAL.sub(lambda part: _filled(part[1], given, lang), template)


def _filled(part: str, given: Mapping[str, object], lang: Lang) -> str:
    if any(given.get(name) is None for name in _PARAM.findall(part)):
        return ""
    return _PARAM.sub(lambda param: _shown(param[1], given[param[1]], lang), part)


def _shown(name: str, value: object, lang: Lang) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return ("、" if lang == "zh" else ", ").join(_shown(name, item, lang) for item in value)
    return word(name, str(value), lang)
