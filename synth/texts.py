"""What people write: descriptions and addresses in Chinese, of words as frequent and as rare as a city's own.

Names of roads, shops and estates follow Zipf's law: the first is everywhere, the last is there once in a million
cases. So a search meets words that a third of all cases have, and words that three have.
"""

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from synth import shares

T = TypeVar("T")

_ROADS = (
    "人民 解放 建设 青石 长亭 明湖 钟鼓 文昌 滨河 槐荫 石桥 书院 柳堤 "
    "荷塘 桂香 银杏 映月 听涛 竹溪 梅坞 丰登 禾田 麦场 和平"
)
_HEADS = (
    "福瑞祥恒裕泰隆盛鑫源华锦宏达丽景翠湖碧云龙凤鸣玉兰芝蕙棠"
    "桐榆柏椿楸枫杉箬蘅芷菡萏璟琬瑾瑜琅琊珩珂翊翎曦昀晖晟霁霖沅湘漪澜"
)
_TAILS = "园苑庭轩阁居邸里坊巷弄湾洲渚汀屿岗岭坡塬畈垸圩埠墩堡寨庄屯堰塘浦滩堤桥渡津"
_SHOPS = (
    "小卖部 便利店 烧烤店 面馆 理发店 五金店 药房 幼儿园 修车铺 水果摊 菜市场 奶茶店 快递站 "
    "麻将馆 茶社 粮油店 寿衣店 裁缝铺 钟表店 旧书摊 琴行 花圃 豆腐坊 酱菜铺 锔瓷摊"
)
_NEAR = "门口 对面 东侧 西侧 南侧 北侧 路口 拐角处 公交站旁 围墙外 后门 人行道上 非机动车道 绿化带内 停车场入口"
_WHO = "群众反映 巡查发现 市民来电称 网格员上报 视频巡查发现 路人反映 居民多次反映 督查发现"
_STATE = (
    "影响通行 影响市容 有异味 存在安全隐患 已有多日 无人清理 范围较大 约两平方米 反复出现 夜间尤为严重 雨后加重 "
    "妨碍轮椅通行 遮挡盲道 招引蚊蝇 附近学校学生经过 老人险些摔倒"
)
_ASK = "请尽快处理 望及时整改 请相关单位到场核实 请派人清运 建议加强巡查 望回复"
_RARE = (
    "发现马蜂窝 疑似白蚁 伴有刺鼻气味 露出钢筋 有积水结冰 地砖松动 井圈下沉 缺少警示标志 压住消防栓 堵住雨水箅子 "
    "缠绕渔网 遗留石膏板 混有碎玻璃 夹杂医疗废物 有野狗出没 藤蔓攀附电线 渗出油污 石敢当倾倒 碑刻被涂污 青苔湿滑"
)
_DONE = "已清理完毕 已修复并清扫现场 已清运，现场恢复 已联系责任人整改 已更换，验收正常 已加固处理"
_REMARKS = (
    "已到现场查看 已安排人员和车辆 正在处理 已与商户沟通 需要协调大型机械 材料已备齐 天气原因推迟半日 现场照片已补充 "
    "请保持电话畅通 施工已过半 已设置围挡 已通知产权单位"
)
_REASONS = "情况属实 现场复杂 连日下雨 等待材料 需多部门配合 已核实"


class Zipf(Generic[T]):
    """Draws the n-th of its values about 1/n times as often as the first."""

    def __init__(self, values: Sequence[T], skew: float = 1.0) -> None:
        self._values = values
        self._sums = list(accumulate((1 / nth**skew for nth in range(1, len(values) + 1)), initial=0.0))[1:]

    def draw(self, random: Random) -> T:
        return self._values[bisect(self._sums, random.random() * self._sums[-1])]


class Texts:
    """The words of one city: the same for the same seed."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - nothing secret hangs on it
        names = [head + other for head in _HEADS for other in _HEADS if head != other]
        random.shuffle(names)
        roads = [f"{name}路" for name in _ROADS.split()]
        roads += [f"{name}{random.choice('路街巷道')}" for name in names[:300]]
        estates = [name + random.choice(_TAILS) for name in names]
        self._roads, self._estates = Zipf(roads, 0.9), Zipf(estates)
        self._shops, self._near, self._who = (Zipf(words.split()) for words in (_SHOPS, _NEAR, _WHO))
        self._states, self._asks, self._rare = Zipf(_STATE.split()), Zipf(_ASK.split()), Zipf(_RARE.split(), 1.5)

    def address(self, random: Random, street: str) -> str:
        road, number = self._roads.draw(random), random.randrange(1, 380)
        if random.random() * 1000 < shares.WITH_AN_ESTATE:
            return f"{street}{road}{number}号{self._estates.draw(random)}{random.randrange(1, 30)}栋"
        return f"{street}{road}{number}号{self._near.draw(random)}"

    def description(self, random: Random, what: str) -> str:
        """`what`: the category's name, as an officer's form puts it first."""
        parts = [f"{self._who.draw(random)}，{self._estates.draw(random)}{self._near.draw(random)}{what}"]
        if random.random() * 1000 < shares.FORMAL:
            parts[0] = f"{what}：{self._estates.draw(random)}{self._shops.draw(random)}{self._near.draw(random)}"
        parts += [self._states.draw(random) for _ in range(random.choice((0, 1, 1, 2)))]
        if random.random() * 1000 < shares.WITH_SOMETHING_RARE:
            parts.append(self._rare.draw(random))
        if random.random() * 1000 < shares.WITH_A_REQUEST:
            parts.append(self._asks.draw(random))
        return "，".join(dict.fromkeys(parts)) + "。"


def done(random: Random) -> str:
    return random.choice(_DONE.split())


def remark(random: Random) -> str:
    return random.choice(_REMARKS.split())


def reason(random: Random) -> str:
    return random.choice(_REASONS.split())
