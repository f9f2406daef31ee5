package pool

// Joining counts those that wait in Join.
func (m *members) Joining() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joiners.length()
}

// Waiting counts those that wait for a slot.
func (p *Pool) Waiting() int {
	p.slots.mu.Lock()
	defer p.slots.mu.Unlock()
	return p.slots.waiting.length()
}

func (l *list) length() int {
	length := 0
	var prev *node
	for n := l.first; n != nil; prev, n = n, n.next {
		if n.prev != prev || !n.listed {
			panic("broken list")
		}
		length++
	}
	if l.last != prev {
		panic("broken list")
	}
	return length
}
