package local

import "unsafe"

// Cells counts the tasks of which the variable knows.
func (v *Var[T]) Cells() int {
	n := 0
	for i := range v.shards {
		s := &v.shards[i]
		s.mu.Lock()
		n += len(s.cells)
		s.mu.Unlock()
	}
	return n
}

// ShardSize is that of a shard, which is to be a cache line.
const ShardSize = unsafe.Sizeof(shard[int]{})
