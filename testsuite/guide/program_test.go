package guide

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A program is a ```go block that begins with "package main".
type program struct {
	name   string // a folder's: the document, and the line of the block
	source string
	// output is the ```text block after it. An empty one means that there is
	// none: another block comes first.
	output string
}

// isServer reports whether it takes an address to listen on.
func (p program) isServer() bool { return strings.Contains(p.source, "os.Args") }

// A block is one fenced block of a document.
type block struct {
	info string // what stands after the opening fence
	line int    // of the opening fence, from 1
	text string
}

// blocks returns the fenced blocks of a Markdown text.
func blocks(text string) ([]block, error) {
	var found []block
	open := false
	for i, line := range strings.SplitAfter(text, "\n") {
		info, fence := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "```")
		switch {
		case fence && !open:
			found = append(found, block{info: info, line: i + 1})
			open = true
		case fence && info == "":
			open = false
		case open:
			found[len(found)-1].text += line
		}
	}
	if open {
		return nil, fmt.Errorf("line %d: the block has no end", found[len(found)-1].line)
	}
	return found, nil
}

// programs returns the programs of a Markdown text. Their names begin with
// prefix.
func programs(prefix, text string) ([]program, error) {
	all, err := blocks(text)
	if err != nil {
		return nil, err
	}
	var found []program
	for i, b := range all {
		if b.info != "go" || !strings.HasPrefix(b.text, "package main\n") {
			continue
		}
		p := program{name: fmt.Sprintf("%s_line%d", prefix, b.line), source: b.text}
		if i+1 < len(all) && all[i+1].info == "text" {
			p.output = all[i+1].text
		}
		found = append(found, p)
	}
	return found, nil
}

// readPrograms returns the programs of the document at path.
func readPrograms(path string) ([]program, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	found, err := programs(name, string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return found, nil
}

// TestPrograms shows which blocks are programs, and which output is whose.
func TestPrograms(t *testing.T) {
	const text = "a\n```go\npackage main\n\none\n```\nwords\n```text\n1\n```\n" +
		"```text\nof nobody\n```\n" +
		"```go\nfragment()\n```\n" +
		"```go\npackage main\nos.Args\n```\n```sh\ngo run\n```\n```text\nof sh\n```\n"
	got, err := programs("doc", text)
	if err != nil {
		t.Fatal(err)
	}
	want := []program{
		{name: "doc_line2", source: "package main\n\none\n", output: "1\n"},
		{name: "doc_line17", source: "package main\nos.Args\n"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got[0].isServer() || !got[1].isServer() {
		t.Error("the second one, and it alone, is a server")
	}
	if _, err := programs("doc", "```go\npackage main\n"); err == nil {
		t.Error("a block without an end is no error")
	}
}
