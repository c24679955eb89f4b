package staff

import "github.com/liangche/liangche/internal/fault"

// Faults of this package.
var (
	ErrNotBound       = fault.Define(fault.Unauthorized, "staff.not_bound", "这个微信还没有绑定员工账号，请输入店长给您的邀请码")
	ErrBadCredentials = fault.Define(fault.Unauthorized, "staff.bad_credentials", "用户名或密码不对，请重新输入")
	ErrThrottled      = fault.Define(fault.TooMany, "staff.throttled", "登录失败次数太多，请十五分钟后再试，或请店长重置密码")
	ErrSuspended      = fault.Define(fault.Unauthorized, "staff.suspended", "账号已停用，请联系店长")
	ErrInvite         = fault.Define(fault.Conflict, "staff.invite_invalid", "邀请码不对、已用过或已过期，请店长重新生成")
	ErrBound          = fault.Define(fault.Conflict, "staff.already_bound", "这个微信已绑定另一个员工账号，请先请店长解除绑定")
	ErrUsername       = fault.Define(fault.Conflict, "staff.username_taken", "用户名已被使用，请换一个")
	ErrOldPassword    = fault.Define(fault.Invalid, "staff.old_password", "原密码不对，请重新输入")
	ErrEscalation     = fault.Define(fault.Forbidden, "staff.escalation", "不能授予自己没有的权限、角色或门店，请联系老板")
	ErrOwnerOnly      = fault.Define(fault.Forbidden, "staff.owner_protected", "只有老板可以修改老板的账号")
	ErrLastOwner      = fault.Define(fault.Conflict, "staff.last_owner", "至少要保留一个在用的老板账号")
	ErrSelf           = fault.Define(fault.Conflict, "staff.self", "不能停用自己的账号")
	ErrOwnerRole      = fault.Define(fault.Conflict, "staff.owner_role", "老板角色拥有全部权限，不能修改")
	ErrState          = fault.Define(fault.Conflict, "staff.state", "账号当前的状态不能这样操作，请刷新后再看")
)
