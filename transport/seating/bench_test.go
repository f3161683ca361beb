package seating

import "testing"

func BenchmarkImport(b *testing.B) {
	for _, name := range Samples() {
		data, err := Sample(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Import(data, Options{Rekey: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
