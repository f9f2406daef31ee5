// Package stacks takes the stacks of the program's goroutines and finds those of
// tasks among them.
package stacks

import (
	"bytes"
	goruntime "runtime"
	"runtime/pprof"
	"strconv"
	"strings"
)

// A Stack is that of one goroutine.
type Stack struct {
	ID      int64
	State   string // "running", "chan receive": what is between the brackets, without the rest
	Creator int64  // the goroutine that started it, 0 if that is not known
	Text    string // as Go prints it, with the header and without a newline at its end
}

// A Dump is the stacks of all goroutines of one instant, by their ids.
type Dump map[int64]Stack

// perGoroutine is the room for the text of a goroutine, more than most take.
const perGoroutine = 2 << 10

// Take stops the program for about 5 µs per goroutine and returns the stacks. If
// their text has more than limit bytes, it reports false, and some are missing.
func Take(limit int) (d Dump, complete bool) {
	size := min(64<<10+perGoroutine*goruntime.NumGoroutine(), limit)
	for {
		buf := make([]byte, size)
		n := goruntime.Stack(buf, true)
		if n < size || size >= limit {
			return parse(string(buf[:n])), n < size
		}
		size = min(4*size, limit)
	}
}

// parse reads what Stack wrote. A part that was cut off is left out, or short.
func parse(text string) Dump {
	d := make(Dump)
	for block := range strings.SplitSeq(text, "\n\n") {
		block = strings.TrimRight(block, "\n")
		rest, ok := strings.CutPrefix(block, "goroutine ")
		if !ok {
			continue
		}
		number, rest, _ := strings.Cut(rest, " ")
		id, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			continue
		}
		s := Stack{ID: id, Text: block}
		if _, rest, ok = strings.Cut(rest, "["); ok {
			if end := strings.IndexAny(rest, ",]"); end >= 0 {
				s.State = rest[:end]
			}
		}
		if at := strings.LastIndex(block, "\ncreated by "); at >= 0 {
			line, _, _ := strings.Cut(block[at+1:], "\n")
			if at := strings.LastIndex(line, " in goroutine "); at >= 0 {
				s.Creator, _ = strconv.ParseInt(line[at+len(" in goroutine "):], 10, 64)
			}
		}
		d[id] = s
	}
	return d
}

// suspended is the state of a coroutine that another one is to resume.
const suspended = "coroutine"

// Holder returns the stack on which a party runs whose own goroutine is id:
// its own, or, if it has switched to a coroutine that it made (a greenlet, an
// iter.Pull), that one's.
func (d Dump) Holder(id int64) (Stack, bool) {
	own, ok := d[id]
	if !ok || own.State != suspended {
		return own, ok
	}
	for _, s := range d {
		if s.State != suspended && strings.Contains(s.Text, "\ncreated by iter.Pull") && d.descends(s, id) {
			return s, true
		}
	}
	return own, true
}

// descends reports whether s was made by id, or by one that was, and so on.
func (d Dump) descends(s Stack, id int64) bool {
	for range len(d) { // ids are never reused, so this is more than enough
		if s.Creator == id {
			return true
		}
		var ok bool
		if s, ok = d[s.Creator]; !ok {
			return false
		}
	}
	return false
}

const (
	ours = "github.com/weft-go/weft/runtime."
	slot = "github.com/weft-go/weft/runtime/internal/coro.(*Slot)."
)

// Frames returns s's frames without the header, and without those below the task's function.
func (s Stack) Frames() string {
	_, frames, _ := strings.Cut(s.Text, "\n")
	if at := strings.Index(frames, ours+"(*coroutine).call("); at >= 0 {
		frames = frames[:at]
	}
	return strings.TrimRight(frames, "\n")
}

// WaitsIn returns in what Go's scheduler lets the goroutine wait: "sync.Mutex.Lock",
// "chan receive", "syscall". It is empty for one that runs or could.
func (s Stack) WaitsIn() string {
	switch s.State {
	case "", "running", "runnable", "preempted", "copystack", suspended:
		return ""
	}
	return s.State
}

// Active returns the stacks of those tasks, and callbacks on hubs, that are not
// suspended. It does without ids, since Go's goroutine profile has none, and does
// not stop the program: for very many goroutines.
func Active() []Stack {
	var profile bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&profile, 1) // a Buffer does not fail
	var active []Stack
	_, text, _ := strings.Cut(profile.String(), "\n") // the title
	for block := range strings.SplitSeq(text, "\n\n") {
		ofTask := strings.Contains(block, "\t"+slot+"Open.")
		ofHub := strings.Contains(block, "\t"+ours+"(*worker).Run+")
		if !ofTask && !ofHub || switching(block) {
			continue
		}
		active = append(active, Stack{Text: strings.TrimSpace(block)})
	}
	return active
}

// switching reports whether the upper frames of a block of the profile are those
// of a switch.
func switching(block string) bool {
	lines := strings.SplitN(block, "\n", 4) // addresses, iter's function, swap
	return len(lines) == 4 && strings.Contains(lines[2], slot+"Swap+")
}
