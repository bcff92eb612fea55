module @take_with_inverse_bf16 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x3xbf16>, %arg1: tensor<7x3xbf16>) -> (tensor<7x3xbf16>, tensor<5x3xbf16>) {
    %0 = stablehlo.constant dense<[0, 4, 4, 2, 0, 4, 3]> : tensor<7xi32>
    %1 = stablehlo.constant dense<[[0, 4, 0], [0, 0, 0], [3, 0, 0], [6, 0, 0], [1, 2, 5]]> : tensor<5x3xi32>
    %2 = stablehlo.constant dense<[[true, true, false], [false, false, false], [true, false, false], [true, false, false], [true, true, true]]> : tensor<5x3xi1>
    %3 = "stablehlo.gather"(%arg0, %0) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, indices_are_sorted = false, slice_sizes = array<i64: 1, 3>}> : (tensor<5x3xbf16>, tensor<7xi32>) -> tensor<7x3xbf16>
    %4 = "stablehlo.gather"(%arg1, %1) <{dimension_numbers = #stablehlo.gather<offset_dims = [2], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 2>, indices_are_sorted = false, slice_sizes = array<i64: 1, 3>}> : (tensor<7x3xbf16>, tensor<5x3xi32>) -> tensor<5x3x3xbf16>
    %5 = stablehlo.constant dense<0.0> : tensor<5x3x3xbf16>
    %6 = stablehlo.broadcast_in_dim %2, dims = [0, 1] : (tensor<5x3xi1>) -> tensor<5x3x3xi1>
    %7 = stablehlo.select %6, %4, %5 : tensor<5x3x3xi1>, tensor<5x3x3xbf16>
    %8 = stablehlo.convert %7 : (tensor<5x3x3xbf16>) -> tensor<5x3x3xf32>
    %9 = stablehlo.constant dense<0.0> : tensor<f32>
    %10 = stablehlo.reduce(%8 init: %9) applies stablehlo.add across dimensions = [1] : (tensor<5x3x3xf32>, tensor<f32>) -> tensor<5x3xf32>
    %11 = stablehlo.convert %10 : (tensor<5x3xf32>) -> tensor<5x3xbf16>
    return %3, %11 : tensor<7x3xbf16>, tensor<5x3xbf16>
  }
}
