package main

import "testing"

// TestEngines runs each measured loop for a little while. A mistake in one shows here as a hang, an
// error or a race, not as a surprising figure.
func TestEngines(t *testing.T) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) {
			steps := []struct {
				name string
				run  func() error
			}{
				{"yield", func() error { _, err := e.yield(3, 100); return err }},
				{"token", func() error { _, err := e.token(100); return err }},
				{"spawn", func() error { _, err := e.spawn(10, 10); return err }},
				{"spawn one", func() error { _, err := e.spawn(1, 10); return err }},
			}
			for _, s := range steps {
				if err := s.run(); err != nil {
					t.Errorf("%s: %v", s.name, err)
				}
			}
			called := 0
			if err := e.park(100, func() { called++ }); err != nil || called != 1 {
				t.Errorf("park called its function %d times, want once; error %v", called, err)
			}
		})
	}
}

func TestEngineNamed(t *testing.T) {
	for _, name := range contenders {
		if _, err := engineNamed(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := engineNamed("nothing"); err == nil {
		t.Error("there is an engine called nothing")
	}
}
