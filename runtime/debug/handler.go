package debug

import (
	"io"
	"net/http"
	"path"

	"github.com/weft-go/weft/runtime"
)

// pages are what Handler serves, by the last element of the path.
var pages = map[string]func(io.Writer, *runtime.Runtime) error{
	"tasks": WriteTasks,
	"tree":  Tree,
	"stats": WriteStats,
	"run":   WriteRunInfo,
}

const index = `tasks   each task with its locals and stack
tree    who spawned whom: see runtime.Config.TraceTasks
stats   counts
run     all of it, and the stacks of all other goroutines
`

// Handler returns a handler that serves, as plain text, what rt does, nil for
// runtime.Default(). The last element of the path says what: tasks, tree, stats or
// run, as the functions of this package write them; a path that ends in a slash gets
// a list of those. Mount it where you like, but not where strangers reach it: it
// shows what is in memory. It may serve on goroutines and in tasks.
func Handler(rt *runtime.Runtime) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		dir, name := path.Split(r.URL.Path)
		if name == "" && dir != "" {
			_, _ = io.WriteString(w, index)
			return
		}
		write := pages[name]
		if write == nil {
			http.NotFound(w, r)
			return
		}
		_ = write(w, rt) // the client has gone: there is nobody to tell
	})
}
