// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import com.aliyun.oss.model.CannedAccessControlList;
import com.aliyun.oss.model.AppendObjectRequest;
import com.aliyun.oss.model.AppendObjectResult;
import com.aliyun.oss.model.CopyObjectRequest;
import com.aliyun.oss.model.DeleteObjectsRequest;
import com.aliyun.oss.model.GetObjectRequest;
import com.aliyun.oss.model.OSSObject;
import com.aliyun.oss.model.ObjectMetadata;
import com.aliyun.oss.model.ObjectPermission;
import com.aliyun.oss.model.PutObjectResult;
import java.io.SequenceInputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.Test;

public class ObjectsTest extends Case {
	@Test
	public void putGetHead() throws Exception {
		for (String name : NAMES) {
			ObjectMetadata meta = new ObjectMetadata();
			meta.setContentType("text/x-test");
			meta.addUserMetadata("owner", "java");
			meta.setContentDisposition("attachment; filename=\"x.txt\"");
			PutObjectResult put = oss.putObject(bucket, name, stream("content of " + name), meta);
			assertEquals("content of " + name, text(name));
			ObjectMetadata told = oss.getObjectMetadata(bucket, name);
			assertEquals("text/x-test", told.getContentType());
			assertEquals("java", told.getUserMetadata().get("owner"));
			assertEquals("attachment; filename=\"x.txt\"", told.getContentDisposition());
			assertEquals(put.getETag(), told.getETag());
			assertEquals(put.getETag(), oss.getSimplifiedObjectMeta(bucket, name).getETag());
			assertTrue(oss.doesObjectExist(bucket, name));
			oss.deleteObject(bucket, name);
			assertFalse(oss.doesObjectExist(bucket, name));
			refused("NoSuchKey", () -> oss.getObject(bucket, name));
		}
	}

	@Test
	public void emptyAndChunked() throws Exception {
		oss.putObject(bucket, "empty", stream(""));
		assertEquals(0, get("empty").length);
		byte[] content = bytes(300_000);
		// Of a length that is not known, in chunks.
		oss.putObject(bucket, "chunked", new SequenceInputStream(stream(content), stream("end")));
		assertEquals(content.length + 3, get("chunked").length);
	}

	@Test
	public void ranges() throws Exception {
		byte[] content = bytes(1000);
		oss.putObject(bucket, "ranged", stream(content));
		long[][] ranges = {{0, 9, 0, 10}, {990, 999, 990, 1000}, {900, -1, 900, 1000}, {-1, 5, 995, 1000}};
		for (long[] range : ranges) {
			GetObjectRequest request = new GetObjectRequest(bucket, "ranged");
			request.setRange(range[0], range[1]);
			try (OSSObject object = oss.getObject(request)) {
				assertArrayEquals(Arrays.copyOfRange(content, (int) range[2], (int) range[3]),
						object.getObjectContent().readAllBytes());
			}
		}
		GetObjectRequest behind = new GetObjectRequest(bucket, "ranged");
		behind.setRange(1000, 2000);
		behind.addHeader("x-oss-range-behavior", "standard");
		refused("InvalidRange", () -> oss.getObject(behind));
	}

	@Test
	public void conditions() {
		String etag = oss.putObject(bucket, "key", stream("x")).getETag();
		GetObjectRequest matching = new GetObjectRequest(bucket, "key");
		matching.setMatchingETagConstraints(List.of("another"));
		refused("PreconditionFailed", () -> oss.getObject(matching));
		GetObjectRequest same = new GetObjectRequest(bucket, "key");
		same.setNonmatchingETagConstraints(List.of(etag));
		refused("NotModified", () -> oss.getObject(same));
		ObjectMetadata once = new ObjectMetadata();
		once.setHeader("x-oss-forbid-overwrite", "true");
		refused("FileAlreadyExists", () -> oss.putObject(bucket, "key", stream("y"), once));
	}

	@Test
	public void copies() throws Exception {
		ObjectMetadata meta = new ObjectMetadata();
		meta.setContentType("text/x-test");
		meta.addUserMetadata("a", "1");
		oss.putObject(bucket, "中文 +%", stream("to copy"), meta);
		oss.copyObject(bucket, "中文 +%", bucket, "copy");
		assertEquals("to copy", text("copy"));
		assertEquals("1", oss.getObjectMetadata(bucket, "copy").getUserMetadata().get("a"));
		CopyObjectRequest request = new CopyObjectRequest(bucket, "copy", bucket, "copy");
		ObjectMetadata other = new ObjectMetadata();
		other.addUserMetadata("b", "2");
		request.setNewObjectMetadata(other);
		oss.copyObject(request);
		ObjectMetadata told = oss.getObjectMetadata(bucket, "copy");
		assertEquals("2", told.getUserMetadata().get("b"));
		assertNull(told.getUserMetadata().get("a"));
		refused("NoSuchKey", () -> oss.copyObject(bucket, "missing", bucket, "x"));
	}

	@Test
	public void appending() throws Exception {
		AppendObjectResult first = oss.appendObject(new AppendObjectRequest(bucket, "log", stream("one ")).withPosition(0L));
		assertEquals(Long.valueOf(4), first.getNextPosition());
		AppendObjectRequest second = new AppendObjectRequest(bucket, "log", stream("two")).withPosition(4L);
		second.setInitCRC(first.getClientCRC());
		assertEquals(Long.valueOf(7), oss.appendObject(second).getNextPosition());
		assertEquals("one two", text("log"));
		assertEquals("Appendable", oss.getObjectMetadata(bucket, "log").getObjectType());
		refused("PositionNotEqualToLength",
				() -> oss.appendObject(new AppendObjectRequest(bucket, "log", stream("x")).withPosition(3L)));
	}

	@Test
	public void symlinks() throws Exception {
		put("target/中 文", "behind the link");
		oss.createSymlink(bucket, "link", "target/中 文");
		assertEquals("target/中 文", oss.getSymlink(bucket, "link").getTarget());
		assertEquals("behind the link", text("link"));
		assertEquals("Symlink", oss.getObjectMetadata(bucket, "link").getObjectType());
	}

	@Test
	public void tags() {
		put("tagged", "x");
		Map<String, String> tags = Map.of("a", "1", "颜色", "红", "b+:/", " =.");
		oss.setObjectTagging(bucket, "tagged", tags);
		assertEquals(tags, oss.getObjectTagging(bucket, "tagged").getAllTags());
		oss.deleteObjectTagging(bucket, "tagged");
		assertEquals(Map.of(), oss.getObjectTagging(bucket, "tagged").getAllTags());
		ObjectMetadata meta = new ObjectMetadata();
		meta.setObjectTagging(tags);
		oss.putObject(bucket, "tagged", stream("x"), meta);
		assertEquals(tags, oss.getObjectTagging(bucket, "tagged").getAllTags());
	}

	@Test
	public void acls() {
		put("key", "x");
		assertEquals(ObjectPermission.Default, oss.getObjectAcl(bucket, "key").getPermission());
		oss.setObjectAcl(bucket, "key", CannedAccessControlList.PublicRead);
		assertEquals(ObjectPermission.PublicRead, oss.getObjectAcl(bucket, "key").getPermission());
	}

	@Test
	public void deletesMany() {
		List<String> keys = List.of("plain", "中文", "a&<b>\"'", "control\u0001\u001f", "line\nend", "sp ace+%");
		for (String key : keys)
			put(key, "x");
		List<String> deleted = oss.deleteObjects(new DeleteObjectsRequest(bucket).withKeys(keys)
				.withEncodingType("url")).getDeletedObjects();
		assertEquals(keys, decoded(deleted));
		for (String key : keys)
			assertFalse(oss.doesObjectExist(bucket, key));
		put("quiet", "x");
		assertEquals(List.of(), oss.deleteObjects(new DeleteObjectsRequest(bucket).withKeys(List.of("quiet", "none"))
				.withQuiet(true)).getDeletedObjects());
		assertFalse(oss.doesObjectExist(bucket, "quiet"));
	}
}
