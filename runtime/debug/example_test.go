package debug_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/debug"
)

// example runs fn as a task of a runtime with one worker that traces tasks.
func example(fn func(rt *runtime.Runtime)) {
	rt, err := runtime.New(runtime.Config{Workers: 1, TraceTasks: true})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Run(func() error { fn(rt); return nil }); err != nil {
		fmt.Println(err)
	}
	if err := rt.Stop(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// plain takes out what differs from run to run.
func plain(text string) string {
	text = regexp.MustCompile(`task [-0-9a-f]{36}`).ReplaceAllString(text, "task …")
	text = regexp.MustCompile(`age [^ \n]+`).ReplaceAllString(text, "age …")
	return regexp.MustCompile(`:\d+\)`).ReplaceAllString(text, ":…)")
}

func serve() {
	user.Set("alice")
	_ = runtime.Spawn(transfer).Join()
}

func transfer() { _ = runtime.NewWaiter().Park("a slow disk") }

func ExampleTree() {
	example(func(rt *runtime.Runtime) {
		runtime.Spawn(serve)
		runtime.Yield() // serve starts
		runtime.Yield() // transfer starts
		var b strings.Builder
		_ = debug.Tree(&b, rt)
		fmt.Print(plain(b.String()))
	})
	// Output:
	// task … on worker 0 is running, age …
	//   spawned at debug_test.example (example_test.go:…)
	//     task … on worker 0 waits: join, age …
	//       spawned at debug_test.ExampleTree.func1 (example_test.go:…)
	//       user = alice
	//         task … on worker 0 waits: a slow disk, age …
	//           spawned at debug_test.serve (example_test.go:…)
}

func ExampleTasks() {
	example(func(rt *runtime.Runtime) {
		runtime.Spawn(transfer)
		runtime.Yield()
		for _, task := range debug.Tasks(rt) {
			if task.State == runtime.TaskWaiting {
				fmt.Println(task.Reason, strings.Contains(task.Stack, "debug_test.transfer"))
			}
		}
	})
	// Output: a slow disk true
}

func ExampleHandler() {
	example(func(rt *runtime.Runtime) {
		server := httptest.NewServer(debug.Handler(rt))
		defer server.Close()
		text, err := runtime.Await(func() (string, error) { // std net would block the worker
			response, err := http.Get(server.URL + "/tree")
			if err != nil {
				return "", err
			}
			defer func() { _ = response.Body.Close() }()
			var b strings.Builder
			err = response.Write(&b)
			return b.String(), err
		})
		fmt.Println(strings.Contains(text, "waits: offload"), err)
	})
	// Output: true <nil>
}
