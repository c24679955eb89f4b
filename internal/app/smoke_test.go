package app_test

import "testing"

func TestSmoke(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	o.topup()
	p, b, h := o.wallet()
	if p != 50000 || b != 8000 || h != 0 {
		t.Fatalf("%d %d %d", p, b, h)
	}
	r := s.shop.desk.settle(s.visit(o.id, o.plate), tender("balance", 3500))
	t.Log(r)
	s.exact()
}
