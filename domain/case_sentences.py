"""What may be wrong with a command to a case, and with its photos. See `domain/sentences.py`."""

from domain.words import Words

CASE: dict[str, Words] = {
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
    "plan_required": (
        "此类问题须先报送方案并获批准。请先报送方案。",
        "Works of this kind need an approved plan first. Submit a plan.",
    ),
    "no_plan_needed": (
        "此案卷无需报送方案。请直接处置并反馈。",
        "This case needs no plan. Rectify and submit.",
    ),
    "plan_already_approved": (
        "方案已获批准，无需重报。请按方案处置。",
        "The plan has been approved already. Carry it out.",
    ),
    "no_plan_pending": (
        "没有待审批的方案。请刷新案卷。",
        "No plan is waiting for a decision. Reload the case.",
    ),
    "already_joined": (
        "您已上报过此问题，进展会通知您。无需重复上报。",
        "You have reported this already and will hear of it. There is nothing more to do.",
    ),
    "too_many_joined": (
        "上报此问题的人已达上限[（{most} 人）]。请留意案卷进展。",
        "The case has as many reporters as it can have[ ({most})]. It is well known.",
    ),
    "on_behalf_not_yours": (
        "只有派遣员和督查可以代他人合并上报。请去掉 on_behalf_of。",
        "Only dispatchers and supervisors join on behalf of others. Leave `on_behalf_of` out.",
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
EVIDENCE: dict[str, Words] = {
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
