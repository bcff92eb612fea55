module @take_rows_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<7x9xbf16>, %arg1: tensor<5xi32>) -> (tensor<5x9xbf16>) {
    %0 = "stablehlo.gather"(%arg0, %arg1) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 9>}> : (tensor<7x9xbf16>, tensor<5xi32>) -> tensor<5x9xbf16>
    return %0 : tensor<5x9xbf16>
  }
}
