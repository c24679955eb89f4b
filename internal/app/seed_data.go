package app

import (
	"slices"

	"github.com/liangche/liangche/internal/catalog"
	"github.com/liangche/liangche/internal/perm"
)

// DemoPassword is the password of every demo account. The demo listens on loopback and holds invented people only.
const DemoPassword = "liangche2026"

const historyDays = 92

// demoAccount is somebody on the staff; without a user name they never sign in.
type demoAccount struct{ username, name, role, label, persona string }

var demoStaff = []demoAccount{
	{"boss", "陈老板", perm.RoleOwner, "老板（全部权限）", ""},
	{"manager", "孙店长", perm.RoleManager, "店长", "p7"},
	{"desk", "李前台", perm.RoleReceptionist, "前台 · 静安店", "p8"},
	{"desk2", "何前台", perm.RoleReceptionist, "前台 · 浦东店", ""},
	{"tech", "吴技师", perm.RoleTechnician, "技师", "p9"},
	{"finance", "郑会计", perm.RoleAccountant, "财务", "p10"},
	{"", "王海", perm.RoleTechnician, "", ""},
	{"", "赵春生", perm.RoleTechnician, "", ""},
	{"", "刘铁军", perm.RoleTechnician, "", ""},
	{"", "何小满", perm.RoleTechnician, "", ""},
	{"", "周福", perm.RoleTechnician, "", ""},
	{"", "孟凡", perm.RoleTechnician, "", ""},
	{"", "冯远", perm.RoleTechnician, "", ""},
}

// demoPeople are the members: the first ones live in the sandbox's WeChat, the others were registered at the desk. Phones are of ranges
// that are never assigned in full.
var demoPeople = []struct{ name, gender, birthday, plate, brand, model, color string }{
	{"林晓舟", "female", "1991-03-12", "沪A8K316", "大众", "朗逸", "白"},
	{"陈思远", "male", "1986-11-30", "沪B66T28", "丰田", "汉兰达", "黑"},
	{"王梦洁", "female", "1994-07-05", "沪AD12345", "特斯拉", "Model Y", "蓝"},
	{"李浩然", "male", "1989-01-21", "沪C3M907", "宝马", "320Li", "灰"},
	{"张雨桐", "female", "1997-09-18", "沪AF88621", "比亚迪", "海豚", "绿"},
	{"赵建国", "male", "1975-05-02", "沪D90K11", "别克", "GL8", "香槟"},
	{"周子涵", "male", "1992-12-08", "沪E5H760", "奥迪", "A4L", "白"},
	{"吴佳怡", "female", "1988-04-27", "沪AD66018", "蔚来", "ES6", "银"},
	{"郑志强", "male", "1980-08-15", "苏E7L209", "本田", "CR-V", "黑"},
	{"孙丽华", "female", "1983-02-09", "沪F21R63", "日产", "轩逸", "金"},
	{"欧阳娜娜", "female", "1995-06-30", "沪GD5186", "大众", "高尔夫", "红"},
	{"马晨曦", "male", "1990-10-10", "沪AD90211", "理想", "L8", "灰"},
	{"胡一鸣", "male", "1987-03-03", "沪H8P552", "沃尔沃", "XC60", "蓝"},
	{"朱婉清", "female", "1993-08-22", "浙F6N381", "奔驰", "C260L", "白"},
	{"郭子睿", "male", "1985-01-14", "沪J0B773", "雷克萨斯", "ES300h", "黑"},
	{"何秀英", "female", "1970-11-11", "沪K4T118", "大众", "帕萨特", "银"},
	{"高文博", "male", "1996-05-25", "沪AD33907", "小鹏", "P7", "白"},
	{"罗嘉欣", "female", "1999-02-28", "沪L2C640", "MINI", "Cooper", "红"},
	{"梁国栋", "male", "1978-09-09", "沪M7V295", "丰田", "凯美瑞", "灰"},
	{"宋雅琴", "female", "1982-07-17", "沪N9F836", "凯迪拉克", "XT5", "黑"},
	{"唐宇轩", "male", "1994-04-04", "沪AF20266", "广汽埃安", "S", "白"},
	{"许静怡", "female", "1991-12-20", "皖A8Q517", "本田", "雅阁", "白"},
	{"韩东升", "male", "1973-06-06", "沪P1G902", "福特", "F-150", "蓝"},
	{"冯雪莲", "female", "1984-10-28", "沪Q6J374", "大众", "途昂", "棕"},
	{"邓凯文", "male", "1990-02-15", "沪AD71520", "极氪", "001", "橙"},
	{"曹慧敏", "female", "1987-08-08", "沪R3W681", "奥迪", "Q5L", "灰"},
	{"彭俊杰", "male", "1998-01-01", "沪S5Y447", "领克", "03", "黄"},
	{"曾美玲", "female", "1976-03-19", "沪T8Z129", "别克", "君越", "黑"},
	{"萧然", "male", "1992-09-23", "沪AD05863", "问界", "M7", "灰"},
	{"迪丽努尔·阿卜杜热西提", "female", "1996-11-02", "新A5N268", "哈弗", "H6", "白"},
}

// strayed are the people of demoPeople who came for a while and stay away since.
var strayed = []int{16, 17, 19, 22, 25, 26}

// hasStrayed says whether somebody does not come any more so many days before today.
func hasStrayed(who, ago int) bool { return ago < 16+who%5*3 && slices.Contains(strayed, who) }

// wechatPeople is how many of demoPeople joined through WeChat.
const wechatPeople = 14

var walkIns = []string{"沪A11K92", "沪B7H330", "沪C88M01", "沪AD40518", "苏A3P907", "浙A9K262", "沪D5N714", "沪E20L68", "沪F9T305", "沪AF61137"}

type demoService struct {
	name, description, kind string
	minutes                 int
	floor                   int64
	fen                     [4]int64 // by vehicle class
	takes                   [4]int   // minutes by vehicle class, 0 is minutes
	terms                   catalog.BookingInput
}

var demoClasses = []struct{ name, example string }{
	{"小型车", "高尔夫、MINI、海豚"}, {"轿车", "朗逸、凯美瑞、Model 3"}, {"SUV", "CR-V、Q5L、Model Y"}, {"MPV/大型车", "GL8、途昂、皮卡"},
}

var demoServices = []demoService{
	{"标准洗车", "外观泡沫清洗、擦干、内饰吸尘、脚垫清洗", "wash", 30, 8000, [4]int64{3000, 3500, 4500, 5500}, [4]int{25, 30, 35, 40},
		catalog.BookingInput{ChangeoverMinutes: 5, FreeCancelHours: 1}},
	{"精致洗车", "标准洗车，加轮毂、门边、玻璃内外与内饰擦拭", "wash", 60, 8000, [4]int64{6800, 8800, 10800, 12800}, [4]int{50, 60, 70, 80},
		catalog.BookingInput{ChangeoverMinutes: 5, FreeCancelHours: 2, MinLevel: 2, BookingKinds: []string{"visit", "at_home", "pickup"}}},
	{"内饰深度清洁", "座椅、顶棚、仪表台、空调口深度清洁与除味", "detail", 150, 8500, [4]int64{22800, 26800, 31800, 36800}, [4]int{135, 150, 170, 200},
		catalog.BookingInput{ChangeoverMinutes: 10, FreeCancelHours: 4, MinLevel: 2, BookingKinds: []string{"visit", "pickup"}}},
	{"漆面打蜡", "洗车、去沥青与铁粉、手工上蜡", "detail", 90, 8500, [4]int64{12800, 15800, 18800, 21800}, [4]int{80, 90, 105, 120},
		catalog.BookingInput{ChangeoverMinutes: 10, FreeCancelHours: 4, MinLevel: 2, DepositFen: 5000, BookingKinds: []string{"visit", "pickup"}}},
	{"漆面镀晶", "中度抛光、镀晶两层，质保一年", "film", 240, 9000, [4]int64{98000, 128000, 158000, 188000}, [4]int{210, 240, 255, 285}, // fits between a shift's breaks
		catalog.BookingInput{ChangeoverMinutes: 15, FreeCancelHours: 24, MinLevel: 3, DepositFen: 20000, BookingKinds: []string{"visit", "pickup"}}},
	{"空调系统清洗", "蒸发箱可视清洗、更换空调滤芯工时", "repair", 60, 9000, [4]int64{15800, 16800, 18800, 19800}, [4]int{},
		catalog.BookingInput{ChangeoverMinutes: 5, FreeCancelHours: 4, BookingKinds: []string{"visit", "repair", "pickup"}}},
	{"代办年检", "代驾上线检测、代缴费用，当天送回", "other", 150, 9000, [4]int64{28000, 28000, 28000, 32000}, [4]int{},
		catalog.BookingInput{FreeCancelHours: 24, BookingKinds: []string{"errand"}}},
	{"道路救援", "搭电、换备胎、送油，按次收费", "other", 60, 9000, [4]int64{15000, 15000, 18000, 20000}, [4]int{},
		catalog.BookingInput{BookingKinds: []string{"rescue"}, Skill: new("rescue")}},
}

var demoGoods = []struct {
	name, unit string
	fen        int64
}{{"玻璃水", "瓶", 1500}, {"雨刮片", "对", 8800}, {"车载香薰", "个", 5800}, {"空调滤芯", "个", 6800}}

var demoPlans = []struct {
	name, note string
	fen, bonus int64
}{{"充 200", "随充随用", 20000, 0}, {"充 500 送 80", "最多人选", 50000, 8000}, {"充 1000 送 200", "", 100000, 20000}, {"充 2000 送 500", "适合一家多车", 200000, 50000}}

var demoTiers = []struct {
	name, color string
	rank        int
	bp          int64
	priority    bool
}{{"银卡会员", "#8E9BA6", 10, 9800, false}, {"金卡会员", "#C9974A", 20, 9500, false}, {"黑金会员", "#2B2F36", 30, 9000, true}}
