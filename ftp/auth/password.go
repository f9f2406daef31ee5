package auth

import "crypto/rand"

// alphabet is what generated passwords are made of: 32 characters, 5 bits each. l, o, 0 and 1 are
// left out.
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// GeneratePassword returns a random password of 80 bits that is easily read and typed: four groups
// of four lower case letters and digits, without those that look alike ("k7mw-2pxa-hn4c-t9ue").
func GeneratePassword() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	var password []byte
	for i, b := range random {
		if i > 0 && i%4 == 0 {
			password = append(password, '-')
		}
		password = append(password, alphabet[int(b)%len(alphabet)]) // 256 is a multiple of 32: no bias
	}
	return string(password)
}
