package runtime

import "sync/atomic"

// tally counts what there is, in the low half of a word, and all that ever came,
// modulo 2^32, in the high half. So a word that is read twice tells whether
// anything came in between. Any thread may count.
type tally struct{ word atomic.Uint64 }

func (c *tally) add() (n int) { return int(uint32(c.word.Add(1<<32 | 1))) }
func (c *tally) sub()         { c.word.Add(^uint64(0)) }

// Load returns how many there are.
func (c *tally) Load() int { return int(uint32(c.word.Load())) }
