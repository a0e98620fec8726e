"""What may be wrong with any request, and with ourselves. See `domain/sentences.py`."""

from domain.words import Words

REQUEST: dict[str, Words] = {
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
SYSTEM: dict[str, Words] = {
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
