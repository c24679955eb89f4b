package app

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/liangche/liangche/internal/httpapi"
)

// metrics is one registry per App, so that tests may run several.
type metrics struct {
	reg     *prometheus.Registry
	latency *prometheus.HistogramVec
	queued  prometheus.Gauge
	dead    prometheus.Gauge
}

func newMetrics() *metrics {
	m := &metrics{
		reg: prometheus.NewRegistry(),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "liangche_http_request_seconds", Help: "Duration of HTTP requests by route and status class.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}}, []string{"route", "status"}),
		queued: prometheus.NewGauge(prometheus.GaugeOpts{Name: "liangche_jobs_queued", Help: "Jobs that wait for their time or for a worker."}),
		dead:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "liangche_jobs_dead", Help: "Jobs that failed for good and need somebody to look."}),
	}
	m.reg.MustRegister(m.latency, m.queued, m.dead, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(route string, status int, seconds float64) {
	m.latency.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Observe(seconds)
}

// near says whether an address is this machine's or of a private network. Figures are for who runs the shop, not for the public.
func near(ip string) bool {
	a, err := netip.ParseAddr(ip)
	a = a.Unmap()
	return err == nil && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast())
}

// handler reads the queue's depth at each scrape.
func (m *metrics) handler(a *App) http.Handler {
	next := promhttp.HandlerFor(m.reg, promhttp.HandlerOpts{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !near(httpapi.ClientIP(r.Context())) {
			http.NotFound(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if queued, dead, err := a.Queue.Depth(ctx); err == nil {
			m.queued.Set(float64(queued))
			m.dead.Set(float64(dead))
		}
		next.ServeHTTP(w, r)
	})
}
