package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/liangche/liangche/internal/app"
	"github.com/liangche/liangche/internal/db"
)

const (
	bossName     = "boss"
	bossPassword = "chaos-liangche-2026"
	ownerCount   = 8
	fundFen      = 50_000 // what each owner begins with
	washFen      = 7      // small, so that it lasts
	topupFen     = 1_000
)

// site is a shop: its database, its servers, its WeChat, and the people who use it.
type site struct {
	r       *result
	dir     string
	direct  db.Config // how the checks open the database: past whatever stands between it and the servers
	weixin  *weixin
	servers []*server
	hc      *http.Client
	bases   []string

	boss    *phone
	owners  []*owner
	store   int64
	class   int64
	wash    int64
	coupons []int64 // what coupons are issued from
	plan    int64   // of passes
	item    int64   // of the mall
	books   *books
	now     func() time.Time // of the shop
	inside  *app.App         // when it is served by this process; then there are no servers
	jumps   bool             // its clock jumps: what time alone does may come at any moment
}

// owner is somebody with a card, a car and a phone.
type owner struct {
	*phone
	persona string
	member  int64
	car     int64
	plate   string
	mini    bool // is told by subscribe messages; the others by the official account
}

// newSite founds a shop on an empty database, over HTTP alone. There are as many servers as reach has entries: each is the DSN through which that one
// reaches the database, "" for the direct one.
func newSite(ctx context.Context, r *result, dir string, direct db.Config, reach []string) (s *site, err error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	s = &site{r: r, dir: dir, direct: direct, books: newBooks(), now: time.Now, hc: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	for n := range reach {
		addr, err := freeAddr()
		if err != nil {
			return s, err
		}
		s.servers = append(s.servers, &server{prog: r.c.prog, addr: addr, config: filepath.Join(dir, fmt.Sprintf("config%d.yaml", n)), logFile: filepath.Join(dir, fmt.Sprintf("serve%d.log", n))})
	}
	s.bases = []string{s.servers[0].base()}
	if s.weixin, err = startWeixin(ctx, r.c.prog, dir, s.servers[0].addr); err != nil {
		return s, err
	}
	keyset, err := r.c.prog.command("config", "keyset").Output()
	if err != nil {
		return s, fmt.Errorf("config keyset: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keyset.json"), keyset, 0o600); err != nil {
		return s, err
	}
	for i, v := range s.servers {
		if err := s.configure(v, reach[i]); err != nil {
			return s, err
		}
	}
	first := r.c.prog.command("owner", "--config", s.servers[0].config, "--username", bossName)
	first.Stdin = strings.NewReader(bossPassword + "\n")
	if out, err := first.CombinedOutput(); err != nil {
		return s, fmt.Errorf("owner: %w\n%s", err, out)
	}
	if err := s.revive(ctx, s.servers[0]); err != nil {
		return s, err
	}
	if err := s.open(ctx); err != nil {
		return s, err
	}
	// The others begin when the shop is founded: what a server knows of prices and bays may be two seconds old.
	for _, v := range s.servers[1:] {
		if err := s.revive(ctx, v); err != nil {
			return s, err
		}
		s.bases = append(s.bases, v.base())
	}
	return s, nil
}

func (s *site) close() {
	for _, v := range s.servers {
		v.kill()
	}
	if s.weixin != nil {
		s.weixin.close()
	}
	s.hc.CloseIdleConnections()
}

// configure writes the configuration of one server; JSON is YAML too.
func (s *site) configure(v *server, reach string) error {
	w := s.weixin
	app := func(a wxApp) obj {
		return obj{"app_id": a.AppID, "secret": a.Secret, "token": a.Token, "aes_key": a.AESKey}
	}
	templates := func(name string) obj {
		out := obj{}
		for _, e := range []string{"deduction", "topup", "reversal", "booking_confirmed", "booking_cancelled"} {
			out[e] = "lc-" + name + "-" + e
		}
		return out
	}
	if reach == "" {
		reach = s.direct.DSN
	}
	b, err := json.Marshal(obj{"listen": v.addr, "public_url": s.bases[0], "log_level": "warn", "shutdown_seconds": 5,
		"database": obj{"driver": string(s.direct.Driver), "path": s.direct.Path, "dsn": reach, "max_conns": 16},
		"storage":  obj{"dir": filepath.Join(s.dir, "blobs")},
		"secret":   obj{"keyset_file": filepath.Join(s.dir, "keyset.json")},
		"wechat": obj{"mini_program": app(w.cred.MiniProgram), "official_account": app(w.cred.OfficialAccount), "endpoints": obj{"api": w.base, "open": w.base, "pay": w.base},
			"pay": obj{"mch_id": w.cred.MchID, "api_v3_key": w.cred.APIv3Key, "merchant_serial": w.cred.MerchantSerial, "merchant_private_key": w.cred.MerchantPrivateKeyPEM,
				"public_key_id": w.cred.PlatformPublicKeyID, "public_key": w.cred.PlatformPublicKeyPEM},
			"templates": templates("mp"), "oa_templates": templates("oa")}})
	if err != nil {
		return err
	}
	return os.WriteFile(v.config, b, 0o600)
}

// anyBase is one of the servers, as a balancer would give it.
func (s *site) anyBase() string { return s.bases[rand.IntN(len(s.bases))] }

// open founds the shop and lets its customers join.
func (s *site) open(ctx context.Context) error {
	s.boss = &phone{site: s, login: func(ctx context.Context) (answer, error) {
		return exchange(ctx, s.hc, http.MethodPost, s.anyBase()+"/api/staff/session", nil, obj{"method": "password", "username": bossName, "password": bossPassword})
	}}
	n := 0
	var failed error
	boss := func(method, path string, body obj) obj {
		if failed != nil {
			return obj{}
		}
		n++
		var o obj
		o, failed = s.boss.must(ctx, method, "/api/console/"+path, fmt.Sprintf("found-%06d", n), body)
		return o
	}
	s.store = boss(http.MethodPost, "stores", obj{"name": "静安店", "address": "江宁路 888 号", "phone": "021-60000001"}).i("id")
	s.class = boss(http.MethodPost, "vehicle-classes", obj{"name": "轿车"}).i("id")
	s.wash = boss(http.MethodPost, "services", obj{"name": "标准洗车", "kind": "wash", "minutes": 30, "minPriceBp": 0, "pointsEach": washPoints, "prices": []obj{{"vehicleClassId": s.class, "priceFen": washFen}}}).i("id")
	boss(http.MethodPut, "settings", obj{"values": []obj{{"key": "points.earn_bp", "value": 10_000}, {"key": "points.yuan_rate", "value": 100}}})
	for _, x := range []obj{{"name": "减三分券", "kind": "amount", "offFen": 3}, {"name": "免费洗车券", "kind": "service", "serviceIds": []int64{s.wash}}} {
		x["stack"], x["validDays"] = "any", 30
		s.coupons = append(s.coupons, boss(http.MethodPost, "coupon-templates", x).i("id"))
	}
	s.plan = boss(http.MethodPost, "pass-plans", obj{"name": "洗车十次卡", "kind": "times", "priceFen": passTimes * washFen, "onSale": true,
		"lines": []obj{{"serviceIds": []int64{s.wash}, "times": passTimes, "listFen": washFen}}}).i("id")
	s.item = boss(http.MethodPost, "mall/items", obj{"name": "洗车毛巾", "kind": "good", "points": mallPoints, "stock": mallStock}).i("id")
	s.books.stock = mallStock
	var technician int64
	for _, x := range boss(http.MethodGet, "roles", nil).list("items") {
		if x.s("key") == "technician" {
			technician = x.i("id")
		}
	}
	var team []int64
	for i := range 3 {
		boss(http.MethodPost, "bays", obj{"storeId": s.store, "name": fmt.Sprintf("%d 号洗车位", i+1), "kind": "wash"})
		team = append(team, boss(http.MethodPost, "staff", obj{"name": fmt.Sprintf("技师%d", i+1), "roleIds": []int64{technician}, "storeIds": []int64{s.store}}).i("id"))
	}
	for _, id := range team {
		if failed == nil {
			failed = s.employ(ctx, id)
		}
		for day := range 7 {
			boss(http.MethodPut, "shifts", obj{"storeId": s.store, "staffId": id, "day": s.day(day), "spans": []obj{{"starts": 540, "ends": 1260}}})
		}
	}
	for i := range ownerCount {
		if failed == nil {
			failed = s.join(ctx, i)
		}
	}
	return failed
}

// employ lets somebody wash. The servers' copies of the staff may be two seconds old.
func (s *site) employ(ctx context.Context, id int64) error {
	var a answer
	var err error
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		a, _, err = s.boss.insist(ctx, http.MethodPut, fmt.Sprintf("/api/console/technicians/%d", id), "", obj{"bookable": true, "skills": []obj{{"skill": "wash", "level": 3}}})
		if err != nil || a.ok() {
			return err
		}
	}
	return fmt.Errorf("technician %d: %s", id, a)
}

// day is the date of a day from today on in the shop's zone.
func (s *site) day(days int) string {
	return s.now().In(time.FixedZone("CST", 8*3600)).AddDate(0, 0, days).Format(time.DateOnly)
}

// join makes a member through the mini-program, with money on the card. Half of them follow the official account and are told there.
func (s *site) join(ctx context.Context, i int) error {
	o := &owner{plate: fmt.Sprintf("沪A%05d", 10000+i), mini: i%2 == 1}
	p, err := s.weixin.control(ctx, http.MethodPost, "personas", obj{"nickname": fmt.Sprintf("车主%d", i+1), "role": "车主", "phone": fmt.Sprintf("1391%07d", i+1), "follows": !o.mini})
	if err != nil {
		return err
	}
	o.persona = p.s("id")
	o.phone = &phone{site: s, login: func(ctx context.Context) (answer, error) {
		code, err := s.weixin.code(ctx, o.persona)
		if err != nil {
			return answer{}, err
		}
		return exchange(ctx, s.hc, http.MethodPost, s.anyBase()+"/api/owner/session", nil, obj{"channel": "mini_program", "code": code})
	}}
	key := func(what string) string { return fmt.Sprintf("%s-%06d", what, i) }
	proof, err := s.weixin.control(ctx, http.MethodPost, "phone-code", obj{"personaId": o.persona})
	if err != nil {
		return err
	}
	charter, err1 := o.must(ctx, http.MethodGet, "/api/owner/charter", "", nil)
	o.signIn(ctx, "")
	proved, err2 := o.must(ctx, http.MethodPost, "/api/owner/phone", "", obj{"code": proof.s("code")})
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	joined, err := o.must(ctx, http.MethodPost, "/api/owner/join", key("join"), obj{"charterVersion": charter.i("version"), "phoneToken": proved.s("phoneToken"), "name": "车主" + string([]rune("甲乙丙丁戊己庚辛")[i]),
		"vehicle": obj{"plate": o.plate, "vehicleClassId": s.class}})
	if err != nil {
		return err
	}
	o.member = joined.i("memberId")
	cars, err := o.must(ctx, http.MethodGet, "/api/owner/vehicles", "", nil)
	if err != nil {
		return err
	}
	o.car = cars.i("items.0.id")
	if _, err := s.boss.must(ctx, http.MethodPost, "/api/staff/topups", key("fund"), obj{"storeId": s.store, "memberId": o.member, "amountFen": fundFen, "tender": "cash"}); err != nil {
		return err
	}
	s.books.opened(o.member, fundFen)
	if !o.mini {
		ticket, err := s.weixin.oauth(ctx, s.bases[0]+"/hooks/oauth/start?for=owner&to=/", o.persona)
		if err != nil {
			return err
		}
		if a, err := exchange(ctx, s.hc, http.MethodPost, s.bases[0]+"/api/owner/session", nil, obj{"channel": "ticket", "code": ticket}); err != nil || !a.ok() {
			return fmt.Errorf("ticket: %s %w", a, err)
		}
	}
	s.owners = append(s.owners, o)
	return nil
}

// audit runs `liangche audit` over the database, as an operator would, and turns what it says into findings.
func (s *site) audit(ctx context.Context, when string) error {
	if s.inside != nil {
		var out bytes.Buffer
		_, err := s.inside.Audit(ctx, &out, io.Discard)
		s.audited(when, out.Bytes())
		return err
	}
	out, err := s.servers[0].prog.command("audit", "--config", s.servers[0].config).CombinedOutput()
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || !strings.Contains(string(out), "differences found") {
		return fmt.Errorf("audit %s: %w\n%s", when, err, out)
	}
	s.audited(when, out)
	return ctx.Err()
}

func (s *site) audited(when string, out []byte) {
	for line := range strings.Lines(string(out)) {
		if text, bad := strings.CutPrefix(line, "✗"); bad {
			s.r.find("audit %s: %s", when, strings.TrimSpace(text))
		}
	}
}

var unixSocket = regexp.MustCompile(`@unix\([^)]*\)`)

// through is the DSN that reaches a database by another address.
func through(dsn, addr string) string { return unixSocket.ReplaceAllString(dsn, "@tcp("+addr+")") }
