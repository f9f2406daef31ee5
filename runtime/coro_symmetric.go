//go:build !weft_asymmetric

package runtime

// switching names the variant, for logs and tests.
const switching = "symmetric"

// switchTo suspends from, the running party, and resumes to. It returns when
// from is resumed for its own sake: until then, it may be resumed to pass
// control on, see point 3 in coro.go.
func switchTo(from, to *party) {
	exchange(from, to)
	for w := from.w; w.forward != nil; {
		co := w.forward
		w.forward = nil
		exchange(from, &co.party)
	}
}

func exchange(from, to *party) {
	s := to.at
	to.at = nil
	from.at = s
	s.swap()
}

// reap lets co, which waits for its end, end. Hub only.
func (w *worker) reap(co *coroutine) {
	defer absorbEnd()
	co.ending = true
	w.hub.at = &co.own
	if co.at != &co.own {
		w.forward = co
	} else {
		co.at = nil
	}
	co.own.swap() // returns by co's end
	w.hub.at = nil
}
