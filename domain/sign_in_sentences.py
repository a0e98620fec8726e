"""What may be wrong with a sign-in or a password. None says whether a user exists. See `domain/sentences.py`."""

from domain.words import Words

SIGN_IN: dict[str, Words] = {
    "sign_in_failed": (
        "用户名或密码不正确，或因连续输错而暂时锁定。请稍候重试，或请管理员重设密码。",
        "The login or the password is not right, or locked for a while after failures. Wait, or ask an administrator.",
    ),
    "too_many_sign_ins": (
        "此网络地址登录失败次数过多。请十分钟后再试。",
        "Too many failed sign-ins from this address. Try again in ten minutes.",
    ),
    "sign_in_busy": (
        "登录人数过多。请稍候再试，已登录的用户不受影响。",
        "Too many sign in at once. Try again shortly; whoever is signed in is not affected.",
    ),
    "password_change_required": (
        "请先修改初始密码（POST /api/v1/password），再办理业务。",
        "Choose a password of your own first (POST /api/v1/password).",
    ),
    "old_password_wrong": (
        "原密码不正确，或因连续输错而暂时锁定。请稍候重试，或请管理员重设密码。",
        "The old password is not right, or locked for a while after failures. Wait, or ask an administrator.",
    ),
    "password_too_short": (
        "密码过短[，至少 {least} 个字符]。可用几个词连成一句，不必夹杂符号。",
        "The password is too short[: {least} characters at least]. Some words in a row will do, without any symbols.",
    ),
    "password_too_long": (
        "密码过长[，最多 {most} 个字符]。请缩短。",
        "The password is too long[: {most} characters at most]. Shorten it.",
    ),
    "password_too_common": (
        "此密码太常见，容易被猜中。请换一个。",
        "This password is too common and would be guessed. Choose another.",
    ),
    "password_is_login": (
        "密码不能由用户名构成。请换一个。",
        "The password is made of the login. Choose another.",
    ),
    "password_is_old": ("新密码与原密码相同。请换一个。", "The new password is the old one. Choose another."),
    "not_a_session": (
        "此令牌由管理员发放，不能退出登录。请用 rectify token revoke 吊销。",
        "This token was issued by an administrator and is no session. `rectify token revoke` ends it.",
    ),
    "return_to_forbidden": (
        "登录后不能返回该地址。请管理员在 RECTIFY_OIDC_RETURN_ORIGINS 中登记。",
        "Browsers may not come back to this address. The administrator can add it to RECTIFY_OIDC_RETURN_ORIGINS.",
    ),
    "sign_in_interrupted": (
        "登录过程已失效或不属于此浏览器。请重新登录。",
        "This sign-in is over, or was begun in another browser. Begin again.",
    ),
    "provider_refused": (
        "统一身份认证未予登录。请重新登录，仍不行请联系管理员。",
        "The identity provider did not sign you in. Begin again, or tell the administrator.",
    ),
    "provider_unavailable": (
        "统一身份认证暂时没有应答。请稍后再试，已登录的用户不受影响。",
        "The identity provider does not answer at the moment. Try again shortly; whoever is signed in is not affected.",
    ),
    "nobody_here": (
        "您在统一身份认证中的账号未与本系统用户关联，或尚未授权。请联系管理员。",
        "Your account at the identity provider is no user's here, or has no rights. Ask the administrator.",
    ),
}
