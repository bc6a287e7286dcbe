// SPDX-License-Identifier: Apache-2.0
package conformance;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import com.aliyun.oss.model.AbortMultipartUploadRequest;
import com.aliyun.oss.model.CompleteMultipartUploadRequest;
import com.aliyun.oss.model.DownloadFileRequest;
import com.aliyun.oss.model.InitiateMultipartUploadRequest;
import com.aliyun.oss.model.ListMultipartUploadsRequest;
import com.aliyun.oss.model.ListPartsRequest;
import com.aliyun.oss.model.MultipartUploadListing;
import com.aliyun.oss.model.ObjectMetadata;
import com.aliyun.oss.model.PartETag;
import com.aliyun.oss.model.PartListing;
import com.aliyun.oss.model.UploadFileRequest;
import com.aliyun.oss.model.UploadPartCopyRequest;
import com.aliyun.oss.model.UploadPartRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class MultipartTest extends Case {
	private static final int PART = 100 << 10;

	@Rule
	public TemporaryFolder folder = new TemporaryFolder();

	private String begin(String key) {
		return oss.initiateMultipartUpload(new InitiateMultipartUploadRequest(bucket, key)).getUploadId();
	}

	private PartETag part(String key, String id, int number, byte[] content) {
		return oss.uploadPart(new UploadPartRequest(bucket, key, id, number, stream(content), content.length)).getPartETag();
	}

	@Test
	public void parts() throws Exception {
		String id = begin("中文 parts");
		byte[] content = bytes(PART + 77);
		List<PartETag> parts = new ArrayList<>();
		parts.add(part("中文 parts", id, 1, java.util.Arrays.copyOf(content, PART)));
		parts.add(part("中文 parts", id, 2, java.util.Arrays.copyOfRange(content, PART, content.length)));
		PartListing listed = oss.listParts(new ListPartsRequest(bucket, "中文 parts", id));
		assertEquals(2, listed.getParts().size());
		assertEquals(PART, listed.getParts().get(0).getSize());
		oss.completeMultipartUpload(new CompleteMultipartUploadRequest(bucket, "中文 parts", id, parts));
		assertArrayEquals(content, get("中文 parts"));
		assertEquals("Multipart", oss.getObjectMetadata(bucket, "中文 parts").getObjectType());
	}

	@Test
	public void noPartIsAnEmptyObject() throws Exception {
		String id = begin("empty");
		oss.completeMultipartUpload(new CompleteMultipartUploadRequest(bucket, "empty", id, new ArrayList<>()));
		assertEquals(0, get("empty").length);
	}

	@Test
	public void copiedParts() throws Exception {
		byte[] content = bytes(3 * PART);
		oss.putObject(bucket, "source +中", stream(content));
		String id = begin("copy");
		List<PartETag> parts = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			UploadPartCopyRequest request = new UploadPartCopyRequest(bucket, "source +中", bucket, "copy", id, i + 1,
					(long) i * PART, (long) PART);
			parts.add(oss.uploadPartCopy(request).getPartETag());
		}
		oss.completeMultipartUpload(new CompleteMultipartUploadRequest(bucket, "copy", id, parts));
		assertArrayEquals(content, get("copy"));
	}

	@Test
	public void listedAndAborted() {
		List<String> ids = new ArrayList<>();
		for (int i = 0; i < 3; i++)
			ids.add(begin("list/" + i));
		ListMultipartUploadsRequest request = new ListMultipartUploadsRequest(bucket);
		request.setMaxUploads(2);
		MultipartUploadListing first = oss.listMultipartUploads(request);
		assertTrue(first.isTruncated());
		request.setKeyMarker(first.getNextKeyMarker());
		request.setUploadIdMarker(first.getNextUploadIdMarker());
		MultipartUploadListing rest = oss.listMultipartUploads(request);
		assertEquals(1, rest.getMultipartUploads().size());
		assertEquals("list/2", rest.getMultipartUploads().get(0).getKey());
		for (int i = 0; i < 3; i++)
			oss.abortMultipartUpload(new AbortMultipartUploadRequest(bucket, "list/" + i, ids.get(i)));
		assertEquals(0, oss.listMultipartUploads(new ListMultipartUploadsRequest(bucket)).getMultipartUploads().size());
		refused("NoSuchUpload", () -> part("list/0", ids.get(0), 1, bytes(1)));
	}

	@Test
	public void resumableUploadAndDownload() throws Throwable {
		for (int size : new int[] {0, 1, 5 * PART + 3}) {
			byte[] content = bytes(size);
			Path from = folder.newFile("from-" + size).toPath();
			Files.write(from, content);
			UploadFileRequest upload = new UploadFileRequest(bucket, "resumable " + size, from.toString(), PART, 3, true);
			ObjectMetadata meta = new ObjectMetadata();
			meta.setContentType("text/x-resumable");
			upload.setObjectMetadata(meta);
			oss.uploadFile(upload);
			assertArrayEquals(content, get("resumable " + size));
			assertEquals("text/x-resumable", oss.getObjectMetadata(bucket, "resumable " + size).getContentType());
			Path to = folder.getRoot().toPath().resolve("to-" + size);
			if (size > 0) { // the SDK can not download nothing in parts
				oss.downloadFile(new DownloadFileRequest(bucket, "resumable " + size, to.toString(), PART, 3, true));
				assertArrayEquals(content, Files.readAllBytes(to));
			}
		}
	}

	@Test
	public void resumesWhatWasBegun() throws Throwable {
		Path from = folder.newFile("begun").toPath();
		byte[] content = bytes(4 * PART);
		Files.write(from, content);
		UploadFileRequest upload = new UploadFileRequest(bucket, "begun", from.toString(), PART, 1, true);
		upload.setCheckpointFile(folder.getRoot() + "/begun.checkpoint");
		upload.setProgressListener(event -> {
			if (event.getEventType() == com.aliyun.oss.event.ProgressEventType.REQUEST_BYTE_TRANSFER_EVENT)
				throw new IllegalStateException("the client goes away");
		});
		assertThrows(Throwable.class, () -> oss.uploadFile(upload));
		upload.setProgressListener(null);
		oss.uploadFile(upload);
		assertArrayEquals(content, get("begun"));
		assertEquals(0, oss.listMultipartUploads(new ListMultipartUploadsRequest(bucket)).getMultipartUploads().size());
	}
}
