// Pages fetches ten pages, each of which takes its server a tenth of a second: first one after
// the other, then each in a task of its own. (For pages of the net see apps/fetch.)
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/http"
	"github.com/weft-go/weft/runtime"
)

const pages = 10

func main() {
	runtime.Main(func() {
		var under, most atomic.Int32 // pages under way
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			most.Store(max(most.Load(), under.Add(1)))
			defer under.Add(-1)
			runtime.Sleep(100 * time.Millisecond)
			_, _ = fmt.Fprintln(w, "this is page", r.URL.Path)
		})}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		serving := runtime.Spawn(func() { _ = srv.Serve(l) }) // until Shutdown
		url := "http://" + l.Addr().String()

		began := time.Now()
		for n := range pages {
			fetch(fmt.Sprintf("%s/%d", url, n))
		}
		fmt.Printf("one after the other: %d ms, several at a time: %v\n", time.Since(began).Milliseconds(), most.Load() > 1)

		began = time.Now()
		var tasks []*runtime.Task
		for n := range pages {
			tasks = append(tasks, runtime.Spawn(func() { fetch(fmt.Sprintf("%s/%d", url, n)) }))
		}
		_ = runtime.JoinAll(tasks...)
		fmt.Printf("a task for each:     %d ms, several at a time: %v\n", time.Since(began).Milliseconds(), most.Load() > 1)

		if err := srv.Shutdown(context.Background()); err != nil {
			log.Fatal(err)
		}
		_ = serving.Join()
	})
}

func fetch(url string) {
	r, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.ReadAll(r.Body); err != nil {
		log.Fatal(err)
	}
}
