package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
)

// Fetcher gets pages. Its fields are set before the first Fetch; then any number of tasks may
// use it.
type Fetcher struct {
	Client  *http.Client
	Retries int           // how often a page is tried again
	MaxSize int64         // bytes of a page; 0: no limit
	Store   *Store        // where pages are saved; nil: nowhere
	Read    *atomic.Int64 // counts the bytes of all pages
}

// Page is what has become of a URL.
type Page struct {
	URL    string
	Status int           // of the last answer, 0 if there was none
	Bytes  int64         // of its content
	Time   time.Duration // for all tries, without the pauses between them
	Tries  int
	Name   string // under which it is saved
	Err    error
}

// errTooLarge ends the reading of a page beyond MaxSize.
var errTooLarge = errors.New("larger than -max-size")

// A statusError is an answer that is none of success.
type statusError int

func (e statusError) Error() string {
	return fmt.Sprintf("%d %s", int(e), http.StatusText(int(e)))
}

// Fetch gets a page, and tries again after a failure that may pass. It parks.
func (f *Fetcher) Fetch(url string) Page {
	p := Page{URL: url}
	for {
		began := time.Now()
		wait := f.try(&p)
		p.Tries++
		p.Time += time.Since(began)
		if p.Err == nil || p.Tries > f.Retries {
			return p
		}
		pause, again := pauseAfter(p.Err, p.Tries, wait)
		if !again {
			return p
		}
		runtime.Sleep(pause)
	}
}

// try gets the page once. It returns what the server says of when to come again, if it does.
func (f *Fetcher) try(p *Page) (wait string) {
	p.Status, p.Bytes, p.Err = 0, 0, nil
	resp, err := f.Client.Get(p.URL)
	if err != nil {
		p.Err = plain(err)
		return ""
	}
	defer resp.Body.Close()
	p.Status = resp.StatusCode
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		// So that the connection can be used again. A page of an error is short.
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
		p.Err = statusError(resp.StatusCode)
		return resp.Header.Get("Retry-After")
	}
	body := &counted{r: resp.Body, max: f.MaxSize, all: f.Read}
	if f.Store != nil {
		p.Name, p.Err = f.Store.Save(p.URL, body)
	} else {
		_, p.Err = io.Copy(io.Discard, body)
	}
	p.Bytes = body.n
	return ""
}

// plain takes the URL off an error: it is said beside it.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// counted counts what is read, and ends it when that is too much.
type counted struct {
	r      io.Reader
	n, max int64
	all    *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.all.Add(int64(n))
	if c.max > 0 && c.n > c.max {
		return n, errTooLarge
	}
	return n, err
}

// errInterrupted is the cause with which what is left is killed.
var errInterrupted = errors.New("interrupted")

// fetchAll gets all pages, so many at a time, and shows what becomes of them. When ctx ends it
// gives up those that are left, and returns errInterrupted.
func fetchAll(ctx context.Context, f *Fetcher, urls []string, limit int, show *progress) error {
	began := time.Now()
	var failure error
	work := runtime.Spawn(func() {
		p := pool.New(limit)
		p.PlaceBy(runtime.SpawnBalanced)
		fetch := func(url string) (Page, error) { return f.Fetch(url), nil }
		for page, err := range pool.IMapUnordered(p, 0, slices.Values(urls), fetch) {
			if failure = err; err != nil { // a kill, or a panic of Fetch
				return
			}
			show.page(page)
		}
	})
	defer context.AfterFunc(ctx, func() { work.Kill(errInterrupted) })()
	ticker := show.start()
	err := errors.Join(work.Join(), failure)
	ticker.Kill(nil)
	_ = ticker.Join()
	show.end(time.Since(began))
	if errors.Is(err, errInterrupted) {
		return errInterrupted
	}
	return err
}
