package app_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/liangche/liangche/internal/httpapi"
	"github.com/liangche/liangche/internal/perm"
)

// hostile are the texts that are put into every field.
var hostile = []string{`'; DROP TABLE member_members; --`, `" OR 1=1 --`, `<script>alert(1)</script>`, `{{7*7}}${7*7}<%= 7*7 %>`, "a\u0000b", "🚗洗\u202e车", `%27%00../../etc/passwd`, `\`}

// generator fills a body by its schema with what exists in the shop.
type generator struct {
	doc   obj
	ids   map[string]int64
	depth int // of lists
}

// deepest is how many lists may stand in one another.
const deepest = 4

func (g generator) value(name string, schema obj) any {
	schema = resolve(g.doc, schema)
	if e, ok := schema["enum"].([]any); ok {
		return e[0]
	}
	switch kindOf(schema) {
	case "string":
		return g.text(name, schema)
	case "integer", "number":
		if id, ok := g.ids[name]; ok {
			return id
		}
		return max(schema.i("minimum"), 1)
	case "boolean":
		return true
	case "array":
		items, _ := schema["items"].(map[string]any)
		if g.depth++; g.depth > deepest { // a list of its own kind, as a menu's buttons have, ends as an empty one
			return []any{}
		}
		return []any{g.value(strings.TrimSuffix(name, "s"), items)}
	case "object":
		out := obj{}
		props, _ := schema["properties"].(map[string]any)
		for k, v := range props {
			out[k] = g.value(k, v.(map[string]any))
		}
		return out
	}
	return "x"
}

// kindOf is a schema's type, null left aside.
func kindOf(schema obj) string {
	if s, ok := schema["type"].(string); ok {
		return s
	}
	if list, ok := schema["type"].([]any); ok {
		for _, x := range list {
			if s, ok := x.(string); ok && s != "null" {
				return s
			}
		}
	}
	return ""
}

func (g generator) text(name string, schema obj) string {
	switch name {
	case "plate":
		return "沪A12345"
	case "phone":
		return fmt.Sprintf("137%08d", g.ids["serial"])
	case "birthday", "purchasedOn", "date", "from", "to":
		return "2020-02-02"
	case "timezone":
		return "Asia/Shanghai"
	case "color":
		return "#112233"
	case "permission":
		return perm.MemberRead
	case "key":
		return "shop.name"
	case "value":
		return "亮车"
	}
	return strings.Repeat("文", int(max(schema.i("minLength"), 2)))
}

// texts lists where a body holds free text, as paths of keys.
func (g generator) texts(prefix []string, schema obj) (out [][]string) {
	schema = resolve(g.doc, schema)
	if schema["enum"] != nil {
		return nil
	}
	switch kindOf(schema) {
	case "string", "": // "" takes any value
		return [][]string{prefix}
	case "array":
		items, _ := schema["items"].(map[string]any)
		if g.depth++; g.depth > deepest/2 { // without an end where a list holds its own kind
			return nil
		}
		return g.texts(append(slices.Clone(prefix), "0"), items)
	case "object":
		props, _ := schema["properties"].(map[string]any)
		for _, k := range slices.Sorted(maps.Keys(props)) {
			out = append(out, g.texts(append(slices.Clone(prefix), k), props[k].(map[string]any))...)
		}
	}
	return out
}

// put sets the value at a path inside a generated body.
func put(v any, path []string, text string) any {
	if len(path) == 0 {
		return text
	}
	switch x := v.(type) {
	case obj:
		x[path[0]] = put(x[path[0]], path[1:], text)
	case []any:
		x[0] = put(x[0], path[1:], text)
	}
	return v
}

// SQL and script text in every text field of every body and query: refused, or stored and shown as it is; never an error of ours.
func TestHostileTextEverywhere(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	s.fund(o.id, 20000)
	order := s.shop.desk.settle(s.visit(o.id, o.plate), tender("balance", 3500)).i("orderId")
	victim := s.hire(perm.RoleTechnician, "吴技师", s.shop.store)
	g := generator{doc: s.anonymous().get("/openapi.json"), ids: map[string]int64{"storeId": s.shop.store, "memberId": o.id, "vehicleClassId": s.shop.class, "planId": s.shop.plan, "id": s.shop.wash,
		"amountFen": 1000, "charterVersion": s.charter(), "version": s.charter(), "roleId": s.shop.roles[perm.RoleTechnician], "storeIds": s.shop.store, "qty": 1, "minutes": 30}}
	bodies := s.bodies()
	var sent, stored int
	for _, op := range s.Router.Ops() {
		if strings.HasSuffix(op.ID, "Logout") || op.ID == "ownerAccountClose" || op.ID == "consoleMemberClose" || op.ID == "consoleIdentityUnbind" {
			continue
		}
		who := caller{s: s}
		switch op.Who {
		case httpapi.Owner, httpapi.Member:
			who = o.caller
		case httpapi.Staff, httpapi.Console:
			who = s.boss
		}
		path := pathParam.ReplaceAllStringFunc(op.Path, func(p string) string {
			id := map[string]int64{"members": o.id, "orders": order, "staff": victim.id, "roles": s.shop.roles[perm.RoleTechnician], "services": s.shop.wash, "goods": s.shop.good,
				"vehicle-classes": s.shop.suv, "topup-plans": s.shop.plan, "stores": s.shop.other}[strings.Split(op.Path, "/")[3]]
			switch {
			case p == "{plate}":
				return "%E6%B2%AAA12345"
			case p == "{deviceNo}":
				return "000000000"
			case id == 0:
				return "4242"
			}
			return fmt.Sprint(id)
		})
		s.sub(op.ID, func(t *testing.T) {
			if schema := bodies[op.ID]; schema != nil {
				for _, at := range g.texts(nil, schema) {
					for _, text := range hostile {
						g.ids["serial"]++
						r := who.do(op.Method, path, put(g.value("", schema), at, text))
						sent++
						if r.status >= 500 {
							t.Errorf("%s = %q: %d %s", strings.Join(at, "."), text, r.status, r.body)
						}
						if r.status/100 == 2 {
							if got, ok := r.json(t)[at[len(at)-1]].(string); ok && len(at) == 1 && got != text && !strings.HasPrefix(op.ID, "staffMember") {
								t.Errorf("%s = %q comes back as %q", at[0], text, got)
							}
							stored++
						}
					}
				}
			}
			item, _ := g.doc.at("paths").(map[string]any)[op.Path].(map[string]any)
			params := obj(item).list(strings.ToLower(op.Method) + ".parameters")
			for _, p := range params {
				for _, text := range hostile {
					to := path
					switch p.s("in") {
					case "query":
						to += "?storeId=" + fmt.Sprint(s.shop.store)
						if p.s("name") == "storeId" {
							to = path + "?"
						}
						to += "&" + p.s("name") + "=" + url.QueryEscape(text)
					case "path":
						to = strings.ReplaceAll(op.Path, "{"+p.s("name")+"}", url.PathEscape(text))
						to = pathParam.ReplaceAllString(to, "4242")
					default:
						continue
					}
					sent++
					if r := who.do(op.Method, to, nil); r.status >= 500 {
						t.Errorf("%s: %d %s", to, r.status, r.body)
					}
				}
			}
		})
	}
	if sent < 1500 || stored < 100 {
		t.Errorf("only %d texts were sent and %d stored", sent, stored)
	}
	s.exact()
	if n := s.count(`SELECT COUNT(*) FROM member_members`); n < 1 {
		t.Error("a table is gone")
	}
}

// What is not a request at all, for every operation with a body.
func TestMalformedBodies(t *testing.T) {
	s := start(t).open()
	o := s.join("林晓舟")
	bodies := s.bodies()
	deep := []byte(strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000))
	for _, op := range s.Router.Ops() {
		if bodies[op.ID] == nil {
			continue
		}
		who := s.boss
		if op.Who == httpapi.Owner || op.Who == httpapi.Member {
			who = o.caller
		}
		s.sub(op.ID, func(t *testing.T) {
			refuse := func(what string, body []byte, want ...int) {
				t.Helper()
				r := who.do(op.Method, nobodys(op), body)
				if f := r.json(t); !slices.Contains(append(want, http.StatusTooManyRequests), r.status) || f.s("code") == "" || !han(f.s("message")) {
					t.Errorf("%s: %d %.300s", what, r.status, r.body)
				}
				if strings.Contains(string(r.body), "secret-input") {
					t.Errorf("%s: the answer repeats the input: %s", what, r.body)
				}
			}
			refuse("bad JSON", []byte(`{"secret-input": `), 400)
			refuse("an array", []byte(`["secret-input"]`), 422, 400)
			refuse("a text", []byte(`"secret-input"`), 422, 400)
			refuse("null", []byte(`null`), 422, 400)
			refuse("nothing", []byte(``), 422, 400)
			refuse("not UTF-8", []byte("{\"a\":\"\xff\xfe\"}"), 422, 400)
			refuse("very deep", deep, 422, 400, 413)
			limit := int64(64 << 10)
			if op.MaxBody > 0 {
				limit = op.MaxBody
			}
			refuse("oversize", []byte(`{"secret-input":"`+strings.Repeat("x", int(limit))+`"}`), 413)
		})
	}
	s.exact()
}

// Nothing outside the embedded pages can be read by a path.
func TestPathTraversal(t *testing.T) {
	s := start(t)
	host := strings.TrimPrefix(s.URL, "http://")
	raw := func(target string) (int, string) {
		t.Helper()
		con, err := net.DialTimeout("tcp", host, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		defer con.Close()
		fmt.Fprintf(con, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host)
		res, err := http.ReadResponse(bufio.NewReader(con), nil)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	for _, root := range []string{"/h5/", "/console/", "/sandbox/", "/sandbox/avatar/", "/"} {
		for _, up := range []string{"../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", `..\`, "....//", "%252e%252e%252f", "assets/../../", "./../"} {
			for _, file := range []string{"etc/passwd", "go.mod", "internal/app/app.go", "sandbox-credentials.json", "keyset.json"} {
				target := root + strings.Repeat(up, 6) + file
				status, body := raw(target)
				if status >= 500 && status != http.StatusServiceUnavailable || strings.Contains(body, "root:") || strings.Contains(body, "package app") || strings.Contains(body, "apiV3Key") || strings.Contains(body, "module github.com") {
					t.Errorf("%s: %d %.200s", target, status, body)
				}
			}
		}
	}
	for _, target := range []string{"/h5/.gitkeep", "/h5/%00", "/console/.gitkeep", "/h5/assets/", "/console/assets/"} {
		if status, body := raw(target); status == http.StatusOK && !strings.Contains(body, "<html") {
			t.Errorf("%s: %d %.200s", target, status, body)
		}
	}
}
