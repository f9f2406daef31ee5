package greenlet_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/greenlet"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// The property test: one list of commands, each obeyed by whichever greenlet
// runs when its turn comes, by real greenlets and by a model of them. Both keep
// a log of who saw what, and the logs have to be equal.

// modelGreenlets is the number of greenlets, the main one (number 0) included.
const modelGreenlets = 5

type op int

const (
	opSwitch op = iota
	opSwitchTo
	opSwitchParent
	opThrow
	opThrowExit
	opSetParent
	opClose
	opReturn
	opFail
	opPanic
	opInside // go on inside a generator's function, which must make no difference
	ops
)

type command struct {
	op     op
	target int // a greenlet
	value  int // or a greenlet, or an error's number
}

func (c command) String() string {
	return fmt.Sprintf("%s(%d, %d)", [...]string{"switch", "switchTo", "switchParent", "throw", "throwExit",
		"setParent", "close", "return", "fail", "panic", "inside"}[c.op], c.target, c.value)
}

func commands(t *rapid.T) []command {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) command {
		return command{
			// Switches twice as often as the rest.
			op:     max(0, op(rapid.IntRange(-3, int(ops)-1).Draw(t, "op"))),
			target: rapid.IntRange(0, modelGreenlets-1).Draw(t, "target"),
			value:  rapid.IntRange(0, modelGreenlets-1).Draw(t, "value"),
		}
	}), 0, 60).Draw(t, "commands")
}

// modelErrors are the errors that the commands use.
var modelErrors = func() (errs [modelGreenlets]error) {
	for i := range errs {
		errs[i] = fmt.Errorf("error %d", i)
	}
	return
}()

// record is one line of a log.
func record(who int, what string, v any, err error) string {
	var p *runtime.PanicError
	switch {
	case errors.As(err, &p):
		return fmt.Sprintf("%d %s panic %v", who, what, p.Value)
	case err != nil:
		return fmt.Sprintf("%d %s %v", who, what, err)
	}
	return fmt.Sprintf("%d %s %v", who, what, v)
}

// realRun obeys the commands by real greenlets.
type realRun struct {
	commands []command
	log      []string
	g        [modelGreenlets]*ints // [0] is nil
}

func runReal(commands []command) []string {
	r := &realRun{commands: commands}
	for i := 1; i < modelGreenlets; i++ {
		r.g[i] = greenlet.New(func(v int) (int, error) {
			defer r.note(i, "ended", 0, nil)
			r.note(i, "starts", v, nil)
			return r.obey(i)
		})
	}
	_, _ = r.obey(0)
	r.note(0, "close", nil, greenlet.CloseAll())
	for i := 1; i < modelGreenlets; i++ {
		if r.g[i].Active() {
			r.log = append(r.log, fmt.Sprint(i, " is active after CloseAll"))
		}
	}
	return r.log
}

func (r *realRun) note(who int, what string, v any, err error) {
	r.log = append(r.log, record(who, what, v, err))
}

func (r *realRun) any(i int) greenlet.Any {
	if i == 0 {
		return greenlet.Main()
	}
	return r.g[i]
}

// obey is what greenlet i does. It waits now and then, which must make no
// difference.
func (r *realRun) obey(i int) (int, error) {
	for len(r.commands) > 0 {
		runtime.Yield()
		c := r.commands[0]
		r.commands = r.commands[1:]
		switch c.op {
		case opSwitch, opThrow, opThrowExit:
			err := modelErrors[c.value]
			if c.op == opThrowExit {
				err = nil
			}
			var v any
			switch g := r.g[c.target]; {
			case c.op == opSwitch && c.target == 0:
				v, err = greenlet.Main().Switch(c.value)
			case c.op == opSwitch:
				v, err = g.Switch(c.value)
			case c.target == 0:
				v, err = greenlet.Main().Throw(err)
			default:
				v, err = g.Throw(err)
			}
			if v == nil { // of the type any of the main one
				v = 0
			}
			r.note(i, "gets", v, err)
		case opSwitchTo:
			var v any
			var err error
			switch {
			case c.target == 0:
				continue
			case i == 0:
				if v, err = greenlet.SwitchTo(greenlet.Main(), r.g[c.target], c.value); v == nil {
					v = 0
				}
			default:
				v, err = greenlet.SwitchTo(r.g[i], r.g[c.target], c.value)
			}
			r.note(i, "gets", v, err)
		case opSwitchParent:
			if i != 0 {
				v, err := r.g[i].SwitchParent(c.value)
				r.note(i, "gets", v, err)
			}
		case opSetParent:
			r.note(i, "setParent", nil, r.any(c.target).SetParent(r.any(c.value)))
		case opClose:
			r.note(i, "close", nil, r.any(c.target).Close())
		case opReturn:
			if i != 0 {
				return c.value, nil
			}
		case opFail:
			if i != 0 {
				return 0, modelErrors[c.value]
			}
		case opPanic:
			if i != 0 {
				panic(c.value)
			}
		case opInside:
			return r.inside(i)
		}
	}
	return 0, nil
}

// inside is obey in a generator's function.
func (r *realRun) inside(i int) (int, error) {
	gen := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) error {
		y.Yield(-1)
		v, err := r.obey(i)
		_ = y.Return(v)
		return err
	})
	if v, err := gen.Next(); v != -1 || err != nil {
		r.note(i, "yields", v, err)
	}
	if _, err := gen.Next(); err != greenlet.ErrDone {
		return 0, err
	}
	v, _ := gen.Result()
	return v, nil
}

// model is what realRun is compared with.
type model struct {
	log     []string
	g       [modelGreenlets]modelGreenlet
	current int
}

type modelGreenlet struct {
	started, dead bool
	parent        int
	closer        int // -1: none

	closing int // whom it waits for in Close, -1: it waits in a switch
	ignored bool
	came    modelMessage // the worst meanwhile
}

type modelMessage struct {
	value int
	err   error
	force bool
}

func (m modelMessage) isValue() bool { return m.err == nil && !m.force }

func runModel(commands []command) []string {
	m := &model{}
	for i := range m.g {
		m.g[i].closer, m.g[i].closing = -1, -1
	}
	m.g[0].started = true
	for _, c := range commands {
		m.obey(c)
	}
	m.finish()
	for { // CloseAll: the last one started first
		last, at := -1, -1
		for i := 1; i < modelGreenlets; i++ {
			if g := m.g[i]; g.started && !g.dead && m.startOf(i) > at {
				last, at = i, m.startOf(i)
			}
		}
		if last < 0 {
			m.note(0, "close", nil, nil)
			return m.log
		}
		m.closeDown(last)
		m.finish()
		m.log = m.log[:len(m.log)-1] // of Close
	}
}

// finish ends whoever runs, as each does that finds no command, until the main
// greenlet does.
func (m *model) finish() {
	for m.current != 0 {
		m.end(m.current, modelMessage{})
	}
}

// startOf returns when i started.
func (m *model) startOf(i int) int {
	for at, line := range m.log {
		var who int
		var what string
		if _, err := fmt.Sscan(line, &who, &what); err == nil && who == i && what == "starts" {
			return at
		}
	}
	return -1
}

func (m *model) note(who int, what string, v any, err error) {
	m.log = append(m.log, record(who, what, v, err))
}

func (m *model) obey(c command) {
	i := m.current
	switch c.op {
	case opSwitch, opSwitchTo:
		if c.op == opSwitchTo && c.target == 0 {
			return
		}
		m.resume(m.heir(c.target, modelMessage{value: c.value}))
	case opThrow:
		m.resume(m.heir(c.target, modelMessage{err: modelErrors[c.value]}))
	case opThrowExit:
		m.resume(m.heir(c.target, modelMessage{err: greenlet.ErrExit}))
	case opSwitchParent:
		if i != 0 {
			m.resume(m.heir(m.g[i].parent, modelMessage{value: c.value}))
		}
	case opSetParent:
		m.note(i, "setParent", nil, m.setParent(c.target, c.value))
	case opClose:
		g := &m.g[c.target]
		switch {
		case g.dead:
			m.note(i, "close", nil, nil)
		case c.target == 0:
			m.note(i, "close", nil, greenlet.ErrMain)
		case !g.started:
			g.dead = true
			m.note(i, "close", nil, nil)
		case c.target == i:
			m.note(i, "close", nil, greenlet.ErrRunning)
		default:
			m.closeDown(c.target)
		}
	case opReturn:
		if i != 0 {
			m.end(i, modelMessage{value: c.value})
		}
	case opFail:
		if i != 0 {
			m.end(i, modelMessage{err: modelErrors[c.value]})
		}
	case opPanic:
		if i != 0 {
			m.end(i, modelMessage{err: &runtime.PanicError{Value: c.value}})
		}
	}
}

func (m *model) setParent(i, parent int) error {
	if i == 0 {
		return greenlet.ErrMain
	}
	for p := parent; p != 0; p = m.g[p].parent {
		if p == i {
			return greenlet.ErrCycle
		}
	}
	m.g[i].parent = parent
	return nil
}

// closeDown begins the close of i by the current one.
func (m *model) closeDown(i int) {
	me := &m.g[m.current]
	me.closing, me.ignored, me.came = i, false, modelMessage{}
	m.g[i].closer = m.current
	m.resume(i, modelMessage{err: greenlet.ErrExit})
}

// heir returns who gets the message for i, and the message.
func (m *model) heir(i int, msg modelMessage) (int, modelMessage) {
	for m.g[i].dead || !m.g[i].started && !msg.isValue() {
		m.g[i].dead = true
		if msg.err == greenlet.ErrExit {
			msg = modelMessage{}
		}
		i = m.g[i].parent
	}
	return i, msg
}

// resume makes i the current one, which sees msg.
func (m *model) resume(i int, msg modelMessage) {
	m.current = i
	g := &m.g[i]
	switch {
	case !g.started:
		g.started = true
		m.note(i, "starts", msg.value, nil)
	case g.closing >= 0:
		m.resumeCloser(i, msg)
	case msg.force:
		m.end(i, modelMessage{})
	default:
		m.note(i, "gets", msg.value, msg.err)
	}
}

// resumeCloser is what Close of i does when it comes back.
func (m *model) resumeCloser(i int, msg modelMessage) {
	g := &m.g[i]
	again := msg.force && g.came.force
	if msg.force || msg.err != nil && !g.came.force {
		if msg.force || g.came.err == nil {
			g.came = msg
		}
	}
	if !m.g[g.closing].dead && !again {
		g.ignored = true
		m.g[g.closing].closer = i
		m.resume(g.closing, modelMessage{force: true})
		return
	}
	g.closing = -1
	switch {
	case g.came.force:
		m.end(i, modelMessage{})
	case g.came.err != nil:
		m.note(i, "close", nil, g.came.err)
	case g.ignored:
		m.note(i, "close", nil, greenlet.ErrIgnored)
	default:
		m.note(i, "close", nil, nil)
	}
}

// end makes i dead, with msg as its result.
func (m *model) end(i int, msg modelMessage) {
	m.note(i, "ended", 0, nil)
	g := &m.g[i]
	g.dead = true
	if msg.err == greenlet.ErrExit {
		msg = modelMessage{}
	}
	if g.closer >= 0 && !m.g[g.closer].dead {
		m.resume(g.closer, msg)
		return
	}
	m.resume(m.heir(g.parent, msg))
}

func TestModel(t *testing.T) {
	clean(t)
	rt := runtimetest.New(t, 1)
	rapid.Check(t, func(t *rapid.T) {
		list := commands(t)
		var real, inTask []string
		apart(func() { real = runReal(list) }) // an owner of its own
		if err := rt.Run(func() error { inTask = runReal(list); return nil }); err != nil {
			t.Fatal(err)
		}
		want := runModel(list)
		if !slices.Equal(real, want) || !slices.Equal(inTask, want) {
			t.Fatalf("logs differ\nreal:\n%s\nin a task:\n%s\nmodel:\n%s", lines(real), lines(inTask), lines(want))
		}
	})
}

func lines(log []string) (text string) {
	for _, line := range log {
		text += "\t" + line + "\n"
	}
	return text
}
