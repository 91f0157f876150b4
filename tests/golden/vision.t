# Vision training really executed on small photographs, calibrated, and predicted.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios
sed 's/"items": [0-9]*/"items": 64/; s/"images": [0-9]*/"images": 32/; s/"batch": 32/"batch": 8, "run": 4/; s/"batch": 128/"batch": 16/
     s/"load.batch": [0-9]*/"load.batch": 16/; s/"side_min": [0-9]*/"side_min": 200/; s/"side_max": [0-9]*/"side_max": 260/; s/"output": [0-9]*/"output": 32/
     s/"preset": "vision-2-cores", //' scenarios/local-vision.json >small.json
edited() {
    sed "$1" small.json >edited.json
}

exits_with 0 "check" check small.json
edited 's/"items": 64/"items": 50/'
exits_with 78 "part of an epoch is not executed" exec edited.json
err_like "says what is" '\$\.horizon: the executor runs whole epochs of 32 images'
edited 's/"batch": 8/"batch": 5/'
exits_with 78 "a batch that does not divide the images" check edited.json
err_like "is refused with both numbers" '5 does not divide the 32 images'
edited 's/"load.decode": "half"/"load.decode": "quarter"/'
exits_with 78 "a quarter of small photographs" run edited.json --apply half-decode --replications 2
err_like "would have to be blown up" '"quarter" leaves .* pixels of the smallest crop'
edited 's/"batch": 8/"batch": 8, "decode": "region", "cache": "decoded"/'
exits_with 78 "a random crop is not cached" check edited.json
err_like "and why" 'every epoch would see the same one'

"$FORESIGHT" exec small.json --repeats 1 --json --quiet >one.json 2>"$err"
if grep -q 'without libjpeg-turbo' "$err"; then
    ok "the package is named" grep -q 'libjpeg62-turbo-dev' "$err"
    skip "vision is executed" "built without libjpeg-turbo"
    finish
fi
ok "exec measures a throughput" grep -q '"throughput_per_s"' one.json
"$FORESIGHT" exec small.json --repeats 1 --set load.workers=2 --json --quiet >two.json 2>"$err"
is "two workers end at the same loss" "$(grep last_loss two.json)" "$(grep last_loss one.json)"
exits_with 0 "exec --profile" exec --profile small.json --quiet
exits_with 0 "exec" exec small.json --repeats 2 --quiet
exits_with 0 "fit" fit small.json
out_like "knows what decoding takes" 'load\.params\.costs\.decode\.per_'
out_like "and how many bytes a pixel has" 'load\.params\.pixel_bytes'
exits_with 0 "run on what was fitted" run small.json --replications 2 --precision 1
out_like "sees both stages" 'image_training'
finish
