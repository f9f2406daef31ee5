package main

import (
	"maps"
	"testing"
)

// TestBalance: a door is closed when its process leads by two and an eighth, and opened when it
// leads by a session less than that would be.
func TestBalance(t *testing.T) {
	b := newBalance()
	told := func() bool {
		select {
		case <-b.changed:
			return true
		default:
			return false
		}
	}
	for _, step := range []struct {
		number, sessions int // -1: it has ended
		moves            map[int]bool
	}{
		{1, 0, nil},
		{2, 0, nil},
		{1, 1, nil},
		{1, 2, map[int]bool{1: true}},
		{1, 3, nil},
		{2, 1, nil},
		{2, 2, nil},
		{2, 3, map[int]bool{1: false}},
		{2, 4, nil},
		{2, 5, map[int]bool{2: true}},
		{1, 40, map[int]bool{1: true, 2: false}},
		{2, 35, nil},
		{2, 36, map[int]bool{1: false}},
		{3, 0, map[int]bool{1: true, 2: true}},
		{3, -1, map[int]bool{1: false, 2: false}},
		{1, -1, nil},
		{2, 1000, nil}, // alone
	} {
		if step.sessions < 0 {
			b.remove(step.number)
		} else {
			b.add(step.number)
			b.count(step.number, step.sessions)
		}
		if tells := told(); tells != (step.moves != nil) {
			t.Errorf("%+v: tells %v", step, tells)
		}
		if got := b.moves(); !maps.Equal(got, step.moves) {
			t.Errorf("%+v: moves %v", step, got)
		}
	}
}
