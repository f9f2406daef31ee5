// Command fetch gets many pages at once.
//
//	go run ./apps/fetch https://go.dev/ https://pkg.go.dev/
//	go run ./apps/fetch -i urls.txt -n 50 -save pages
//
// Each page is a task that reads top to bottom: ask, wait, read, try again. At the end it
// tells how long that took, and how long it would have taken one after the other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1 // some pages, or all
	exitUsage       = 2
	exitInterrupted = 130
)

// run is the program, ended early by the end of ctx. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("fetch", flag.ContinueOnError)
	flags.SetOutput(stderr)
	list := flags.String("i", "", "`file` with a URL in each line, - for standard input")
	limit := flags.Int("n", 20, "pages at a time")
	perHost := flags.Int("per-host", 0, "connections to one host at a time (0: no limit of its own)")
	retries := flags.Int("retries", 3, "how often a page is tried again after a failure that may pass")
	timeout := flags.Duration("timeout", 30*time.Second, "how long one try may take")
	save := flags.String("save", "", "`directory` to save pages in, by host and path")
	overwrite := flags.Bool("overwrite", false, "let saved pages replace files that are there")
	maxSize := flags.Int64("max-size", 0, "`bytes` that a page may have (0: no limit)")
	progress := flags.String("progress", "auto", "`how` to show it: bar, lines, none; auto: a bar on a terminal, else lines")
	workers := flags.Int("workers", 0, "threads that run tasks; 0: one per processor")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "usage: fetch [flags] URL...")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitOK
	} else if err != nil {
		return exitUsage
	}
	fail := func(code int, err error) int {
		_, _ = fmt.Fprintln(stderr, "fetch:", err)
		return code
	}
	urls, err := readURLs(flags.Args(), *list, stdin)
	if err != nil {
		return fail(exitUsage, err)
	}
	if *limit < 1 || *retries < 0 || *timeout <= 0 || *perHost < 0 || *maxSize < 0 {
		return fail(exitUsage, errors.New("-n and -timeout must be positive, -retries, -per-host and -max-size not negative"))
	}
	show, err := newProgress(*progress, stdout, stderr, len(urls))
	if err != nil {
		return fail(exitUsage, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost = *perHost
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = *limit, *limit
	defer transport.CloseIdleConnections()
	f := &Fetcher{
		Client:  &http.Client{Transport: transport, Timeout: *timeout},
		Retries: *retries,
		MaxSize: *maxSize,
		Read:    &show.bytes,
	}
	if *save != "" {
		if f.Store, err = OpenStore(*save, *overwrite); err != nil {
			return fail(exitUsage, err)
		}
		defer f.Store.Close()
	}
	rt, err := runtime.New(runtime.Config{Workers: *workers})
	if err != nil {
		return fail(exitUsage, err)
	}
	defer func() { _ = rt.Stop(context.Background()) }()
	switch err := rt.Run(func() error { return fetchAll(ctx, f, urls, *limit, show) }); {
	case errors.Is(err, errInterrupted):
		return fail(exitInterrupted, err)
	case err != nil:
		return fail(exitFailed, err)
	}
	if show.failed > 0 {
		return exitFailed
	}
	return exitOK
}
