package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
)

// The pauses before another attempt, unless the server says how long.
const (
	minPause = 250 * time.Millisecond
	maxPause = time.Minute // also if the server says more
)

// A Fetcher fetches pages, with as many attempts as it takes. Its tasks are all on one worker.
type Fetcher struct {
	Client  *http.Client
	Retries int    // attempts after the first
	Store   *Store // nil: pages are not saved

	bytes int64 // of all bodies so far
}

// A Page is what became of a URL.
type Page struct {
	URL      string
	Status   int // of the last answer; 0: none
	Bytes    int64
	Took     time.Duration // with all attempts, and the pauses between
	Attempts int
	File     string // where it is saved
	Err      error  // why it could not be fetched
}

// Fetch fetches a page.
func (f *Fetcher) Fetch(ctx context.Context, url string) *Page {
	page := &Page{URL: url}
	began := time.Now()
	for {
		page.Attempts++
		again, pause := f.attempt(ctx, page)
		if page.Err == nil || !again || page.Attempts > f.Retries || ctx.Err() != nil {
			break
		}
		if pause <= 0 {
			pause = minPause << min(page.Attempts-1, 8)
			pause += rand.N(pause / 2) // others have failed at the same time
		}
		if !sleep(ctx, min(pause, maxPause)) {
			break
		}
	}
	page.Took = time.Since(began)
	return page
}

// attempt makes one attempt. again says that another might help, after a pause if
// the server has said so.
func (f *Fetcher) attempt(ctx context.Context, page *Page) (again bool, pause time.Duration) {
	page.Status, page.Bytes, page.Err = 0, 0, nil
	req, err := http.NewRequestWithContext(ctx, "GET", page.URL, nil)
	if err != nil {
		page.Err = err
		return false, 0
	}
	req.Header.Set("User-Agent", "weft-fetch")
	resp, err := f.Client.Do(req)
	if err != nil {
		page.Err = err
		return true, 0
	}
	defer resp.Body.Close()
	page.Status = resp.StatusCode
	if resp.StatusCode >= 400 {
		page.Err = fmt.Errorf("status %s", resp.Status)
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection is kept
		return mayPass(resp.StatusCode), retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	body := &counted{resp.Body, page, &f.bytes}
	if f.Store == nil {
		_, page.Err = io.Copy(io.Discard, body)
		return true, 0
	}
	page.File, page.Err = f.Store.Save(resp.Request.URL, body)
	return !isFileError(page.Err), 0
}

// mayPass reports whether a failure with this status may pass.
func mayPass(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// retryAfter returns how long a server wants us to wait (RFC 9110, 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return t.Sub(now)
	}
	return 0
}

// sleep reports false if ctx is done first.
func sleep(ctx context.Context, d time.Duration) bool {
	w := runtime.NewWaiter()
	defer context.AfterFunc(ctx, func() { w.Ready() })()
	return w.ParkUntil("pause", runtime.Now().Add(d)) == runtime.ErrTimeout
}

// counted counts what is read.
type counted struct {
	io.Reader
	page  *Page
	total *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.page.Bytes += int64(n)
	*c.total += int64(n)
	return n, err
}
