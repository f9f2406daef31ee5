package auth

import (
	"regexp"
	"testing"
)

func TestGeneratePassword(t *testing.T) {
	form := regexp.MustCompile(`^[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3}$`)
	seen := make(map[string]bool)
	count := make(map[rune]int)
	for range 2000 {
		p := GeneratePassword()
		if !form.MatchString(p) || seen[p] {
			t.Fatalf("%q is of the wrong form, or came before", p)
		}
		seen[p] = true
		for _, r := range p {
			count[r]++
		}
	}
	// 32 characters with 1000 each expected and a deviation of about 31: 80 bits need all of them.
	for _, r := range alphabet {
		if count[r] < 700 || count[r] > 1300 {
			t.Errorf("%q comes %d times of 1000", r, count[r])
		}
	}
	if len(alphabet) != 32 {
		t.Errorf("%d characters", len(alphabet))
	}
}
