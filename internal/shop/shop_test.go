package shop

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/db/dbtest"
	"github.com/liangche/liangche/internal/fault"
	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/httpapi/apitest"
	"github.com/liangche/liangche/internal/perm"
)

func TestStoreLifeThroughTheConsole(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	c := apitest.New(t, s.Routes).As(apitest.Staff(perm.StoreRead, perm.StoreWrite))
	var a, b Store
	c.OK(http.MethodPost, "/api/console/stores", Input{Name: " 西湖店 ", Phone: "0571-88880001", HoursText: "8:00–20:00"}, &a)
	if a.Name != "西湖店" || a.Timezone != "Asia/Shanghai" || !a.Active {
		t.Errorf("created %+v", a)
	}
	c.OK(http.MethodPost, "/api/console/stores", Input{Name: "滨江店"}, &b)
	c.Fault(ErrName, http.MethodPost, "/api/console/stores", Input{Name: "西湖店"})

	off := false
	c.OK(http.MethodPut, fmt.Sprint("/api/console/stores/", a.ID), Input{Name: "西湖店", Active: &off}, &a)
	if a.Active || a.Phone != "" {
		t.Errorf("replaced %+v", a)
	}
	if _, err := s.Open(t.Context(), a.ID); !errors.Is(err, ErrInactive) {
		t.Errorf("closed store opens: %v", err)
	}
	c.OK(http.MethodPost, "/api/console/stores", Input{Name: "西湖店"}, nil) // the name is free again
	var page httpapi.Page[Store]
	c.OK(http.MethodGet, "/api/console/stores", nil, &page)
	if len(page.Items) != 3 || page.Next != "" {
		t.Errorf("list %+v", page)
	}
	c.OK(http.MethodGet, "/api/console/stores?limit=2", nil, &page)
	seen := len(page.Items)
	c.OK(http.MethodGet, "/api/console/stores?limit=2&after="+page.Next, nil, &page)
	if seen+len(page.Items) != 3 {
		t.Errorf("pages hold %d and %d", seen, len(page.Items))
	}
	c.Fault(fault.ErrNotFound, http.MethodPut, "/api/console/stores/99", Input{Name: "没有"})
	apitest.New(t, s.Routes).As(apitest.Staff(perm.StoreRead)).Fault(fault.ErrForbidden, http.MethodPost, "/api/console/stores", Input{Name: "新店"})
}

func TestInputNamesEveryBadValue(t *testing.T) {
	ok := Input{Name: "西湖店", Timezone: "Asia/Urumqi"}
	for _, c := range []struct {
		field string
		in    Input
	}{
		{"name", Input{Name: "  "}},
		{"name", Input{Name: strings.Repeat("店", 41)}},
		{"name", Input{Name: "a\nb"}},
		{"timezone", Input{Name: "a", Timezone: "Asia/Nowhere"}},
		{"timezone", Input{Name: "a", Timezone: "Local"}},
		{"timezone", Input{Name: "a", Timezone: "../etc/passwd"}},
		{"phone", Input{Name: "a", Phone: "打给我"}},
		{"hoursText", Input{Name: "a", HoursText: strings.Repeat("时", 101)}},
	} {
		_, err := c.in.clean()
		f := fault.As(err)
		if err == nil || !errors.Is(err, fault.ErrInvalid) || len(f.Fields) != 1 || f.Fields[0].Field != c.field {
			t.Errorf("%+v: %v %+v", c.in, err, f)
		}
	}
	if _, err := ok.clean(); err != nil {
		t.Error(err)
	}
}

func TestReadsAreFreshAfterOwnWriteAndAfterTwoSeconds(t *testing.T) {
	d, clk := dbtest.New(t)
	s, other := New(d), New(d)
	st, err := s.Create(t.Context(), Input{Name: "甲"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Store(t.Context(), st.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Update(t.Context(), st.ID, Input{Name: "乙"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Store(t.Context(), st.ID); got.Name != "乙" {
		t.Errorf("own write: %q", got.Name)
	}
	if got, _ := other.Store(t.Context(), st.ID); got.Name != "甲" {
		t.Errorf("other instance at once: %q", got.Name)
	}
	clk.Advance(2 * time.Second)
	if got, _ := other.Store(t.Context(), st.ID); got.Name != "乙" {
		t.Errorf("other instance later: %q", got.Name)
	}
	if _, err := s.Store(t.Context(), 1); !errors.Is(err, fault.ErrNotFound) {
		t.Error(err)
	}
}

func TestOneStoreStaysOpenUnderConcurrency(t *testing.T) {
	d, _ := dbtest.New(t)
	s := New(d)
	var ids []int64
	for i := range 4 {
		st, err := s.Create(t.Context(), Input{Name: fmt.Sprint("店", i)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, st.ID)
	}
	off := false
	var wg sync.WaitGroup
	errs := make([]error, len(ids))
	for i, id := range ids {
		wg.Go(func() { _, errs[i] = s.Update(t.Context(), id, Input{Name: fmt.Sprint("店", i), Active: &off}) })
	}
	wg.Wait()
	refused := 0
	for _, err := range errs {
		if errors.Is(err, ErrLast) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if refused != 1 {
		t.Errorf("%d closings were refused, want exactly 1", refused)
	}
}
