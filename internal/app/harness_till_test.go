package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// ringUp settles a visit as a till does that does not give up: the same key until there is an answer.
func ringUp(base, token, key string, visit obj) error {
	send := func(path, key string, body obj) (obj, error) {
		var last error
		for range 600 {
			r, status, err := sendJSON(base+path, token, key, body)
			if err == nil && status/100 == 2 {
				return r, nil
			}
			if last = err; err == nil {
				last = fmt.Errorf("%d %v", status, r)
				if status < 500 && status != http.StatusTooManyRequests && status != http.StatusConflict {
					return nil, last
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		return nil, last
	}
	q, err := send("/api/staff/quotes", key+"-quote", visit)
	if err != nil {
		return err
	}
	_, err = send("/api/staff/checkouts", key, with(visit, obj{"quoteHash": q.s("quoteHash"), "tenders": []obj{tender("balance", q.i("totalFen"))}}))
	return err
}

func sendJSON(url, token, key string, body obj) (obj, int, error) {
	j, err := json.Marshal(body)
	if err != nil {
		return nil, 0, err
	}
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(j))
	if err != nil {
		return nil, 0, err
	}
	for k, v := range map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + token, "Idempotency-Key": key} {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	d := json.NewDecoder(res.Body)
	d.UseNumber()
	out := obj{}
	return out, res.StatusCode, d.Decode(&out)
}
