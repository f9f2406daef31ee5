package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed cepoll/echo.c
var referenceSource []byte

// errNoCompiler means that the reference rows stay empty.
var errNoCompiler = errors.New("no C compiler here")

// A reference is the echo server in C, compiled into a folder of its own.
type reference struct {
	folder  string
	program string
	err     error // why there is none
}

// buildReference compiles it if it can. The caller removes it with remove.
func buildReference(ctx context.Context) *reference {
	cc, err := exec.LookPath("cc")
	if err != nil {
		return &reference{err: errNoCompiler}
	}
	folder, err := os.MkdirTemp("", "weft-bench-")
	if err != nil {
		return &reference{err: err}
	}
	r := &reference{folder: folder, program: filepath.Join(folder, "echo")}
	source := filepath.Join(folder, "echo.c")
	if r.err = os.WriteFile(source, referenceSource, 0o644); r.err != nil {
		return r
	}
	if out, err := exec.CommandContext(ctx, cc, "-O2", "-Wall", "-Werror", "-o", r.program, source).CombinedOutput(); err != nil {
		r.err = fmt.Errorf("cc: %w\n%s", err, out)
	}
	return r
}

// start runs it on one CPU; its first line is its address.
func (r *reference) start(ctx context.Context, cpu int) (*child, error) {
	if r.err != nil {
		return nil, r.err
	}
	return startChild(ctx, []int{cpu}, childLimit, r.program)
}

// remove deletes what was compiled.
func (r *reference) remove() {
	if r.folder != "" {
		os.RemoveAll(r.folder)
	}
}
