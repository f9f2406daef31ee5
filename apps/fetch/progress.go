package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/lock"
	"golang.org/x/sys/unix"
)

// progress shows what becomes of the pages: a line for each, and on a terminal a bar below.
// Its methods are called by tasks of one worker, so it needs no lock.
type progress struct {
	bytes atomic.Int64 // of all pages; counted by tasks of all workers

	writing  lock.Mutex
	out, err io.Writer
	lines    bool
	bar      bool
	shown    bool // there is a bar at present

	all, done, failed int
	inTurn            time.Duration // the pages' times together
}

func newProgress(how string, stdout, stderr io.Writer, all int) (*progress, error) {
	p := &progress{out: stdout, err: stderr, all: all}
	switch how {
	case "auto":
		p.lines, p.bar = true, isTerminal(stderr)
	case "bar":
		p.lines, p.bar = true, true
	case "lines":
		p.lines = true
	case "none":
	default:
		return nil, fmt.Errorf("-progress %s: want auto, bar, lines or none", how)
	}
	return p, nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// start starts a task that keeps the bar true while nothing ends.
func (p *progress) start() *runtime.Task {
	return runtime.Spawn(func() {
		for p.bar {
			p.draw()
			runtime.Sleep(100 * time.Millisecond)
		}
	})
}

// page shows a page that is through.
func (p *progress) page(page Page) {
	p.done++
	p.inTurn += page.Time
	if page.Err != nil {
		p.failed++
	}
	if !p.lines {
		return
	}
	p.clear()
	line := fmt.Sprintf("%s  %9s  %7.3fs  %s", status(page.Status), size(page.Bytes), page.Time.Seconds(), page.URL)
	if page.Name != "" {
		line += " -> " + page.Name
	}
	if page.Tries > 1 {
		line += fmt.Sprintf(" (%d tries)", page.Tries)
	}
	if page.Err != nil {
		line += ": " + page.Err.Error()
	}
	p.write(p.out, printable(line)+"\n")
}

// status has three places, as a status has.
func status(code int) string {
	if code == 0 {
		return "---"
	}
	return fmt.Sprint(code)
}

// end shows the sum.
func (p *progress) end(took time.Duration) {
	p.clear()
	p.bar = false
	if !p.lines {
		return
	}
	sum := fmt.Sprintf("%s, %s in %.3f s", count(p.done-p.failed, "page"), size(p.bytes.Load()), took.Seconds())
	if p.failed > 0 {
		sum += fmt.Sprintf("; %d failed", p.failed)
	}
	if left := p.all - p.done; left > 0 {
		sum += fmt.Sprintf("; %d not got", left)
	}
	if p.done > 1 {
		sum += fmt.Sprintf("; one after the other: %.3f s, %.1f times as long", p.inTurn.Seconds(), p.inTurn.Seconds()/took.Seconds())
	}
	p.write(p.err, sum+"\n")
}

const barWidth = 30

func (p *progress) draw() {
	full := barWidth * p.done / max(p.all, 1)
	bar := strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full)
	text := fmt.Sprintf("\r[%s] %d/%d  %s", bar, p.done, p.all, size(p.bytes.Load()))
	if p.failed > 0 {
		text += fmt.Sprintf("  %d failed", p.failed)
	}
	p.shown = true
	p.write(p.err, text+"\x1b[K")
}

func (p *progress) clear() {
	if p.shown {
		p.shown = false
		p.write(p.err, "\r\x1b[K")
	}
}

// write writes where it may block: a terminal that is stopped, or a pipe that nobody reads. What
// can't be shown is no matter.
func (p *progress) write(w io.Writer, text string) {
	p.writing.Lock()
	defer p.writing.Unlock()
	_ = runtime.OffloadShielded(func() { _, _ = io.WriteString(w, text) })
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// size prints bytes with three digits.
func size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/1000, 0
	for ; f >= 999.5; i++ {
		f /= 1000
	}
	return fmt.Sprintf("%.3g %cB", f, units[i])
}

// printable keeps what servers say from doing things to a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, text)
}
