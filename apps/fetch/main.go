// Fetch gets many pages at once: the tutorial's concurrent page fetcher. Each is
// fetched by a task, all tasks by one thread.
//
//	go run ./apps/fetch https://go.dev https://example.com
//	go run ./apps/fetch -from urls.txt -limit 20 -save pages
//	grep -o 'https://[^"]*' index.html | go run ./apps/fetch -from -
//
// It prints a line for each page as it is done, with a progress bar if standard error is a
// terminal, and at the end how long it took, and how long the pages would have taken one
// after the other, as -serial does it. It ends with status 1 if a page could not be fetched, and with 130 if it
// was interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/pool"
)

type options struct {
	from    string
	limit   int
	serial  bool
	retries int
	timeout time.Duration
	save    string
	urls    []string
}

func main() {
	var o options
	flag.StringVar(&o.from, "from", "", "`file` with a URL a line; - for standard input")
	flag.IntVar(&o.limit, "limit", 10, "pages at a time")
	flag.BoolVar(&o.serial, "serial", false, "one page after the other")
	flag.IntVar(&o.retries, "retries", 2, "attempts after the first, where another may help")
	flag.DurationVar(&o.timeout, "timeout", 30*time.Second, "of an attempt")
	flag.StringVar(&o.save, "save", "", "save the pages to this `directory`")
	flag.Parse()
	o.urls = flag.Args()
	if o.limit < 1 || o.retries < 0 || o.timeout <= 0 || len(o.urls) == 0 && o.from == "" {
		fmt.Fprintln(os.Stderr, "fetch: want URLs or -from, and a -limit and -timeout above 0")
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	failed, err := run(ctx, o, os.Stdin, os.Stdout, os.Stderr)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	case ctx.Err() != nil:
		os.Exit(130) // as a shell has it for SIGINT
	case failed:
		os.Exit(1)
	}
}

// run fetches, and reports whether something could not be.
func run(ctx context.Context, o options, stdin io.Reader, stdout io.Writer, stderr *os.File) (failed bool, err error) {
	if o.serial {
		o.limit = 1
	}
	urls, err := list(o.from, stdin, o.urls)
	if err != nil {
		return false, err
	}
	rt, err := runtime.New(runtime.Config{Workers: 1})
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, rt.Stop(context.Background())) }()
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConnsPerHost: o.limit,
	}
	f := &Fetcher{Client: &http.Client{Transport: transport, Timeout: o.timeout}, Retries: o.retries}
	if o.save != "" {
		if f.Store, err = OpenStore(o.save); err != nil {
			return false, err
		}
		defer f.Store.Close()
	}
	p := &Progress{Out: stdout, Total: len(urls)}
	if width := terminalWidth(stderr); width > 0 {
		p.Bar, p.Width = stderr, width
	}
	err = rt.Run(func() error {
		defer transport.CloseIdleConnections()
		defer p.Start(&f.bytes)()
		for page, err := range pool.IMapUnordered(pool.New(o.limit), 2*o.limit, slices.Values(urls), func(url string) (*Page, error) {
			return f.Fetch(ctx, url), nil
		}) {
			if err != nil {
				return err
			}
			p.Done(page)
		}
		return nil
	})
	p.Summary(o.serial)
	return p.failed > 0, err
}
