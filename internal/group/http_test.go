package group

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/liangche/liangche/internal/actor"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
)

type obj = map[string]any

func TestTheOperations(t *testing.T) {
	r := newRig(t)
	c := apitest.New(t, r.Routes)
	who := func(id int64) *apitest.Client { return c.As(actor.From(r.owner(id))) }
	payer, anna, bruno := who(r.payer), who(r.anna), who(r.bruno)
	desk := c.As(apitest.Staff(perm.Keys()...))
	n := 0
	key := func() []string { n++; return []string{"Idempotency-Key", fmt.Sprintf("key-%08d", n)} }

	var d Detail
	payer.OK(http.MethodPost, "/api/owner/groups", obj{"name": "王家"}, &d, key()...)
	at := fmt.Sprintf("/api/owner/groups/%d", d.ID)
	if d.Role != "payer" || d.Kind != Family || d.State != StateActive || !d.CanDissolve || d.PayerName == "王付款" {
		t.Errorf("%+v", d)
	}
	var v InviteView
	payer.OK(http.MethodPost, at+"/invites", obj{"cardKind": "driver", "note": "女儿", "rules": obj{"plates": []string{"浙A12345"}, "serviceIds": []int64{r.wash}, "weekdays": []int{}, "approvalOverFen": 1000}}, &v)
	var shown InvitedView
	anna.OK(http.MethodGet, "/api/owner/group-invites/"+v.Code, nil, &shown)
	if shown.GroupName != "王家" || shown.Note != "女儿" || *shown.Rules.ApprovalOverFen != 1000 {
		t.Errorf("%+v", shown)
	}
	anna.OK(http.MethodPost, "/api/owner/group-joins", obj{"code": v.Code}, &d)
	if d.Role != "driver" || d.Me == nil || len(d.Places) != 1 || len(d.Invites) != 0 || d.Me.MemberID != 0 {
		t.Errorf("%+v", d)
	}
	bruno.Fault(ErrInvite, http.MethodPost, "/api/owner/group-joins", obj{"code": v.Code})
	bruno.Fault(fault.ErrNotFound, http.MethodGet, at, nil)
	payer.OK(http.MethodGet, at, nil, &d)
	if len(d.Places) != 1 || d.Places[0].Note != "女儿" || d.Drivers != 1 || len(d.Invites) != 0 {
		t.Errorf("%+v", d)
	}
	place := fmt.Sprintf("%s/drivers/%d", at, d.Places[0].ID)
	bad := payer.Fault(fault.ErrInvalid, http.MethodPut, place, obj{"cardKind": "vip", "rules": obj{"plates": []string{"X"}, "serviceIds": []int64{99}, "weekdays": []int{}}})
	if len(bad) != 3 {
		t.Errorf("%v", bad)
	}
	anna.Fault(ErrNotMine, http.MethodDelete, place, nil)

	ask := obj{"storeId": r.store, "groupId": d.ID, "memberId": r.anna, "plate": "浙A12345", "serviceIds": []int64{r.wash}, "title": "精洗", "amountFen": 4500}
	var y ApprovalView
	desk.OK(http.MethodPost, "/api/staff/group-approvals", ask, &y, key()...)
	if y.State != ApprovalAsked || y.GroupName != "王家" || y.StoreName != "西湖店" {
		t.Errorf("%+v", y)
	}
	desk.Fault(ErrAsked, http.MethodPost, "/api/staff/group-approvals", ask, key()...)
	ask["plate"] = "浙A99999"
	desk.Fault(ErrPlate, http.MethodPost, "/api/staff/group-approvals", ask, key()...)
	ask["plate"] = "浙A"
	desk.Fault(ErrPlate, http.MethodPost, "/api/staff/group-approvals", ask, key()...)
	var list httpapi.Page[ApprovalView]
	payer.OK(http.MethodGet, "/api/owner/group-approvals?limit=1", nil, &list)
	if len(list.Items) != 1 || list.Items[0].ID != y.ID {
		t.Errorf("%+v", list)
	}
	anna.Fault(fault.ErrNotFound, http.MethodPost, fmt.Sprintf("/api/owner/group-approvals/%d/approve", y.ID), obj{})
	payer.OK(http.MethodPost, fmt.Sprintf("/api/owner/group-approvals/%d/approve", y.ID), obj{"note": "好"}, &y)
	payer.Fault(ErrApproved, http.MethodPost, fmt.Sprintf("/api/owner/group-approvals/%d/deny", y.ID), obj{})
	desk.OK(http.MethodGet, fmt.Sprintf("/api/staff/group-approvals/%d", y.ID), nil, &y)
	if y.State != ApprovalApproved || y.Note != "好" {
		t.Errorf("%+v", y)
	}
	elsewhere := apitest.Staff(perm.Keys()...)
	elsewhere.AllStores, elsewhere.Stores = false, []int64{42}
	c.As(elsewhere).Fault(fault.ErrNotFound, http.MethodGet, fmt.Sprintf("/api/staff/group-approvals/%d", y.ID), nil)

	company1 := obj{"name": "福州某某科技有限公司", "creditCode": "91350100M000100Y44", "contact": obj{"name": "赵经理", "phone": "hello"}}
	if bad = payer.Fault(fault.ErrInvalid, http.MethodPost, "/api/owner/group-applications", company1, key()...); len(bad) != 2 || bad[0].Field != "creditCode" || bad[1].Field != "contact.phone" {
		t.Errorf("%v", bad)
	}
	company1["creditCode"], company1["contact"] = company, obj{"name": "赵经理", "phone": "0591-88886666"}
	payer.OK(http.MethodPost, "/api/owner/group-applications", company1, &d, key()...)
	form, kind := apitest.Form(t, map[string]string{"kind": "license"}, photo())
	payer.OK(http.MethodPost, fmt.Sprintf("/api/owner/groups/%d/documents", d.ID), form, &d, "Content-Type", kind)
	if len(d.Documents) != 1 || d.Contact == nil || d.Contact.Phone != "0591-88886666" {
		t.Errorf("%+v", d)
	}
	console := fmt.Sprintf("/api/console/groups/%d", d.ID)
	var seen View
	c.As(apitest.Staff(perm.GroupRead)).OK(http.MethodGet, console, nil, &seen)
	if seen.Contact == nil || seen.Contact.Phone != "059****6666" {
		t.Errorf("who may not see phones sees %+v", seen.Contact)
	}
	var pic Picture
	desk.OK(http.MethodGet, fmt.Sprintf("%s/documents/%d", console, d.Documents[0].ID), nil, &pic)
	if pic.ContentType != "image/jpeg" || !strings.HasPrefix(string(pic.Data), "\xff\xd8") {
		t.Errorf("%.20q", pic.Data)
	}
	c.As(apitest.Staff(perm.GroupRead)).Fault(fault.ErrForbidden, http.MethodGet, fmt.Sprintf("%s/documents/%d", console, d.Documents[0].ID), nil)
	c.As(apitest.Staff(perm.GroupRead, perm.GroupWrite)).Fault(fault.ErrForbidden, http.MethodPost, console+"/review", obj{"outcome": "approve"})
	c.As(apitest.Staff(perm.GroupRead, perm.GroupWrite)).Fault(fault.ErrForbidden, http.MethodPost, console+"/invites", obj{"cardKind": "driver", "rules": obj{}})
	desk.OK(http.MethodPost, console+"/review", obj{"outcome": "approve"}, &d)
	desk.OK(http.MethodPost, console+"/suspend", obj{"reason": "欠款"}, nil)
	desk.OK(http.MethodPost, console+"/resume", obj{}, nil)
	desk.OK(http.MethodPost, console+"/invites", obj{"cardKind": "vip", "rules": obj{"plates": []string{}, "serviceIds": []int64{}, "weekdays": []int{}}}, &v)
	var page httpapi.Page[View]
	desk.OK(http.MethodGet, "/api/console/groups?q=%E7%A7%91%E6%8A%80&state=active", nil, &page)
	if len(page.Items) != 1 || page.Items[0].ID != d.ID || page.Items[0].PayerID != r.payer || page.Items[0].PayerPhone != "138****8001" {
		t.Errorf("%+v", page)
	}
	desk.OK(http.MethodGet, "/api/console/groups?q=%25", nil, &page)
	if len(page.Items) != 0 {
		t.Errorf("a percent sign found %d", len(page.Items))
	}
	desk.OK(http.MethodGet, fmt.Sprintf("/api/staff/groups?memberId=%d", r.anna), nil, &page)
	if len(page.Items) != 1 {
		t.Errorf("%+v", page)
	}
	desk.OK(http.MethodPost, "/api/console/groups", obj{"kind": "family", "memberId": r.bruno, "name": "布家"}, &d, key()...)
	desk.OK(http.MethodPost, fmt.Sprintf("/api/console/groups/%d/dissolve", d.ID), obj{"reason": "顾客要求"}, &d)
	if d.State != StateEnded {
		t.Errorf("%+v", d)
	}
	anna.OK(http.MethodPost, at+"/leave", nil, nil)
	anna.Fault(fault.ErrNotFound, http.MethodPost, at+"/leave", nil)
	var mine httpapi.Page[View]
	payer.OK(http.MethodGet, "/api/owner/groups", nil, &mine)
	if len(mine.Items) != 2 || mine.Items[0].Role != "payer" {
		t.Errorf("%+v", mine)
	}
}
