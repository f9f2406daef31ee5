package pool

// Joining counts those that wait in Join.
func (m *members) Joining() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joiners.Len()
}

// Waiting counts those that wait for a slot.
func (p *Pool) Waiting() int {
	p.slots.mu.Lock()
	defer p.slots.mu.Unlock()
	return p.slots.waiting.Len()
}
