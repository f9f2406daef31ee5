package main

import (
	"io"
	"math"
	"testing"
	"time"

	stdnet "net"
	stdhttp "net/http"
)

// TestServers: each server gives the same answers, so that they are compared with each other.
func TestServers(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			announced := make(chan stdnet.Addr, 1)
			go func() { _ = s.run(func(a stdnet.Addr) { announced <- a }) }() // it ends with the process
			var url string
			select {
			case a := <-announced:
				url = "http://" + a.String()
			case <-time.After(time.Minute):
				t.Fatal("it does not serve")
			}
			tr := new(stdhttp.Transport)
			defer tr.CloseIdleConnections()
			c := &stdhttp.Client{Transport: tr}
			for path, want := range map[string]string{"/": "Hello, World!", "/page": string(page)} {
				resp, err := c.Get(url + path)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if string(got) != want || err != nil || resp.ContentLength != int64(len(want)) {
					t.Errorf("%s: %d bytes, %v", path, len(got), err)
				}
			}
		})
	}
}

func TestMedian(t *testing.T) {
	if got := median([]float64{3, 1, 2}); got != 2 {
		t.Error(got)
	}
	if got := ratio([]float64{1, 4}, []float64{1, 2}); math.Abs(got-1.5) > 1e-9 {
		t.Error(got)
	}
}
