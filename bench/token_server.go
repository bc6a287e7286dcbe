// SPDX-License-Identifier: Apache-2.0

// A token server as application servers in Go are often written: net/http, one policy a GET.
//
// token_server PORT: what GET / of postern answers, computed for each request, for comparison.
package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"
)

const (
	keyID     = "bench-access-key-id"
	secret    = "bench-access-key-secret"
	host      = "http://uploads.example.com"
	directory = "user-dir-prefix/"
)

type policy struct {
	Expiration string  `json:"expiration"`
	Conditions [][]any `json:"conditions"`
}

type callback struct {
	URL      string `json:"callbackUrl"`
	Body     string `json:"callbackBody"`
	BodyType string `json:"callbackBodyType"`
}

type token struct {
	AccessID  string `json:"accessid"`
	Host      string `json:"host"`
	Policy    string `json:"policy"`
	Signature string `json:"signature"`
	Expire    int64  `json:"expire"`
	Callback  string `json:"callback"`
	Dir       string `json:"dir"`
}

func encode(value any) (string, error) {
	text, err := json.Marshal(value)
	return base64.StdEncoding.EncodeToString(text), err
}

func makeToken() (token, error) {
	expires := time.Now().Add(300 * time.Second)
	encoded, err := encode(policy{
		Expiration: expires.UTC().Format("2006-01-02T15:04:05Z"),
		Conditions: [][]any{{"starts-with", "$key", directory}, {"content-length-range", 0, 1048576000}},
	})
	if err != nil {
		return token{}, err
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(encoded))
	back, err := encode(callback{
		URL: "http://127.0.0.1:8888/",
		Body: "filename=${object}&size=${size}&mimeType=${mimeType}" +
			"&height=${imageInfo.height}&width=${imageInfo.width}",
		BodyType: "application/x-www-form-urlencoded",
	})
	return token{
		AccessID:  keyID,
		Host:      host,
		Policy:    encoded,
		Signature: base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		Expire:    expires.Unix(),
		Callback:  back,
		Dir:       directory,
	}, err
}

func answer(w http.ResponseWriter, _ *http.Request) {
	t, err := makeToken()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
	if err := json.NewEncoder(w).Encode(t); err != nil {
		log.Print(err)
	}
}

func main() {
	http.HandleFunc("/", answer)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
