"""What may be wrong with an import or export of the directory, beside its cells. See `domain/sentences.py`."""

from domain.words import Words

EXCHANGE: dict[str, Words] = {
    "import_refused": (
        "文件有[ {total} ]处问题，什么都没有改动。请按 faults 中的工作表、行、列改正后再传。",
        "There is something wrong[ in {total} places]; nothing was changed. `faults` says where.",
    ),
    "import_not_multipart": (
        "请以 multipart/form-data 上传 .xlsx、.csv、.zip 或 .geojson 文件，字段名任意[，最多 {most} 个]。",
        "Send .xlsx, .csv, .zip or .geojson files as multipart/form-data[, {most} at most].",
    ),
    "import_too_large": (
        "文件过大[（上限 {max_bytes} 字节）]。请分成几份，或在服务器上用 rectify directory import。",
        "Too large[ ({max_bytes} bytes at most)]. Split it, or use `rectify directory import` on the server.",
    ),
    "import_running": (
        "另一次导入正在进行，请稍后再试。",
        "Another import is on its way. Try again a little later.",
    ),
    "directory_changed": (
        "导入期间有人改了目录，什么都没有写入。请重试。",
        "Somebody changed the directory meanwhile; nothing was written. Try again.",
    ),
    "not_as_geojson": (
        "GeoJSON 一次只含辖区或点位之一（tables=areas 或 tables=points）。",
        "GeoJSON holds either areas or points: tables=areas or tables=points.",
    ),
    "no_directory": ("还没有城市目录。请先导入。", "There is no directory yet. Import one first."),
}
