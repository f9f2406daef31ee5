package guide

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	// What the programs import: a change of these ends what go test has cached.
	_ "github.com/weft-go/weft/net"
	_ "github.com/weft-go/weft/net/http"
	_ "github.com/weft-go/weft/net/pgdial"
	_ "github.com/weft-go/weft/net/server"
	_ "github.com/weft-go/weft/runtime/event"
	_ "github.com/weft-go/weft/runtime/lock"
	_ "github.com/weft-go/weft/runtime/pool"
	_ "github.com/weft-go/weft/runtime/process/cluster"
	_ "github.com/weft-go/weft/runtime/queue"
)

const (
	root   = "../.."                    // of the module
	folder = "testsuite/guide/programs" // where the go command sees the programs
	limit  = time.Minute                // bounds one run of a program
)

// documented returns the programs of all documents.
func documented(t *testing.T) []program {
	t.Helper()
	var all []program
	for _, doc := range []struct {
		path string
		runs int // how many programs at least say what they print
	}{
		{"README.md", 0},
		{"docs/guide.md", 10},
		{"docs/processes.md", 1},
	} {
		found, err := readPrograms(filepath.Join(root, doc.path))
		if err != nil {
			t.Fatal(err)
		}
		runs := 0
		for _, p := range found {
			if p.output != "" {
				runs++
			}
		}
		if len(found) == 0 || runs < doc.runs {
			t.Fatalf("%s: found %d programs, %d with their output, want %d", doc.path, len(found), runs, doc.runs)
		}
		all = append(all, found...)
	}
	return all
}

// TestGuide builds the programs of all documents and runs those that say what
// they print.
func TestGuide(t *testing.T) {
	all := documented(t)
	bin := t.TempDir()
	if err := build(bin, all); err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.output == "" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(bin, p.name)
			var got, log string
			var err error
			if p.isServer() {
				got, log, err = serve(path)
			} else {
				got, log, err = run(path)
			}
			if err != nil || got != p.output {
				t.Errorf("%v\ngot:\n%s\nthe document has:\n%s\nstandard error:\n%s", err, got, p.output, log)
			}
		})
	}
}

// build makes an executable of each program in bin, by one go command. An
// overlay shows the sources to it in a folder of the module, whose go.mod counts
// then, while nothing is written there.
func build(bin string, all []program) error {
	module, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	sources, err := os.MkdirTemp(bin, "src")
	if err != nil {
		return err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	args := []string{"build", "-o", bin + string(filepath.Separator), "-overlay", filepath.Join(sources, "overlay.json")}
	for _, p := range all {
		source := filepath.Join(sources, p.name+".go")
		if err := os.WriteFile(source, []byte(p.source), 0o600); err != nil {
			return err
		}
		overlay.Replace[filepath.Join(module, folder, p.name, "main.go")] = source
		args = append(args, "./"+folder+"/"+p.name)
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(sources, "overlay.json"), text, 0o600); err != nil {
		return err
	}
	cmd := exec.Command("go", args...)
	cmd.Dir = module
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// run runs a program that ends by itself, with status 0, and returns what it
// printed.
func run(path string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, errors.New("it does not end"))
	defer cancel()
	var out, log bytes.Buffer
	cmd := exec.CommandContext(ctx, path)
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out.String(), log.String(), err
}

// TestFormat checks that what is copied from a document passes the reader's
// gofmt.
func TestFormat(t *testing.T) {
	for _, p := range documented(t) {
		formatted, err := format.Source([]byte(p.source))
		if err != nil || string(formatted) != p.source {
			t.Errorf("%s is not as gofmt has it: %v", p.name, err)
		}
	}
}
