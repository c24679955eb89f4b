package booking

import (
	"strings"

	"github.com/liangche/liangche/internal/fault"
)

// checkKind says what a kind of booking still needs to be told, and what has no place in it: a field that nobody would read is a
// misunderstanding. It is pure. Faults: ErrAddress, fault.ErrInvalid at the field.
func checkKind(b Booking) error {
	located := b.LatE6 != 0 || b.LngE6 != 0
	addressed := len([]rune(strings.TrimSpace(b.Address))) >= 4
	leaves := kindLeaves(b.Kind)
	f := fault.ErrInvalid
	need := func(field, value, complaint string) {
		if len([]rune(strings.TrimSpace(value))) < 2 {
			f = f.On(field, complaint)
		}
	}
	strange := func(field, value string) {
		if value != "" {
			f = f.On(field, "这种预约没有这一项")
		}
	}
	switch b.Kind {
	case KindAtHome, KindPickup:
		if !addressed {
			return ErrAddress.On("address", "请填写详细地址")
		}
	case KindRescue:
		if !addressed && !located {
			return ErrAddress.Say("请填写位置，或发送定位").On("address", "请填写位置，或发送定位")
		}
		need("extra.fault", b.Extra.Fault, "请简单说明车的情况")
	case KindRepair:
		need("extra.fault", b.Extra.Fault, "请说明哪里不对")
	case KindOther:
		if len(b.Items) == 0 {
			need("note", b.Note, "请写明需要什么")
		}
	}
	if b.Kind != KindRescue && b.Kind != KindRepair {
		strange("extra.fault", b.Extra.Fault)
	}
	if b.Kind != KindRescue && b.Kind != KindErrand {
		strange("extra.destination", b.Extra.Destination)
	}
	if b.Kind != KindPickup && b.Kind != KindErrand {
		strange("extra.returnAddress", b.Extra.ReturnAddress)
	}
	if !leaves {
		strange("address", b.Address)
		strange("extra.contactName", b.Extra.ContactName)
	}
	if (b.LatE6 == 0) != (b.LngE6 == 0) {
		f = f.On("latE6", "定位不完整")
	}
	if len(f.Fields) > 0 {
		return f
	}
	return nil
}
