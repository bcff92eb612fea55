module @paged_step_int8_key_scales attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x60xf32>, %arg1: tensor<5x3xf32>, %arg2: tensor<5x3xf32>, %arg3: tensor<2x3xi32>, %arg4: tensor<5xi32>, %arg5: tensor<5xi32>, %arg6: tensor<5xi32>, %arg7: tensor<6xf32>, %arg8: tensor<6xf32>, %arg9: tensor<6x2x6x16xf32>, %arg10: tensor<6x2x16x6xf32>) -> (tensor<6x2x16xf32>) {
    %0 = stablehlo.transpose %arg9, dims = [0, 1, 3, 2] : (tensor<6x2x6x16xf32>) -> tensor<6x2x16x6xf32>
    %1 = stablehlo.abs %0 : tensor<6x2x16x6xf32>
    %2 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %3 = stablehlo.reduce(%1 init: %2) applies stablehlo.maximum across dimensions = [3] : (tensor<6x2x16x6xf32>, tensor<f32>) -> tensor<6x2x16xf32>
    %4 = stablehlo.constant dense<127.0> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %6 = stablehlo.divide %3, %5 : tensor<6x2x16xf32>
    %7 = stablehlo.constant dense<1.0e-30> : tensor<f32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<6x2x16xf32>
    %9 = stablehlo.maximum %6, %8 : tensor<6x2x16xf32>
    %10 = stablehlo.constant dense<1.0> : tensor<f32>
    %11 = stablehlo.slice %arg0 [0:5, 36:48] : (tensor<5x60xf32>) -> tensor<5x12xf32>
    %12 = stablehlo.reshape %11 : (tensor<5x12xf32>) -> tensor<5x2x6xf32>
    %13 = stablehlo.constant dense<0.16666667> : tensor<f32>
    %14 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %15 = stablehlo.multiply %12, %12 : tensor<5x2x6xf32>
    %16 = stablehlo.constant dense<0.0> : tensor<f32>
    %17 = stablehlo.reduce(%15 init: %16) applies stablehlo.add across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %18 = stablehlo.broadcast_in_dim %13, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %19 = stablehlo.multiply %17, %18 : tensor<5x2xf32>
    %20 = stablehlo.broadcast_in_dim %14, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %21 = stablehlo.add %19, %20 : tensor<5x2xf32>
    %22 = stablehlo.rsqrt %21 : tensor<5x2xf32>
    %23 = stablehlo.broadcast_in_dim %22, dims = [0, 1] : (tensor<5x2xf32>) -> tensor<5x2x6xf32>
    %24 = stablehlo.multiply %12, %23 : tensor<5x2x6xf32>
    %25 = stablehlo.broadcast_in_dim %arg8, dims = [2] : (tensor<6xf32>) -> tensor<5x2x6xf32>
    %26 = stablehlo.multiply %24, %25 : tensor<5x2x6xf32>
    %27 = stablehlo.slice %26 [0:5, 0:2, 0:3] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %28 = stablehlo.slice %26 [0:5, 0:2, 3:6] : (tensor<5x2x6xf32>) -> tensor<5x2x3xf32>
    %29 = stablehlo.broadcast_in_dim %arg1, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %30 = stablehlo.multiply %27, %29 : tensor<5x2x3xf32>
    %31 = stablehlo.broadcast_in_dim %arg2, dims = [0, 2] : (tensor<5x3xf32>) -> tensor<5x2x3xf32>
    %32 = stablehlo.multiply %28, %31 : tensor<5x2x3xf32>
    %33 = stablehlo.subtract %30, %32 : tensor<5x2x3xf32>
    %34 = stablehlo.multiply %28, %29 : tensor<5x2x3xf32>
    %35 = stablehlo.multiply %27, %31 : tensor<5x2x3xf32>
    %36 = stablehlo.add %34, %35 : tensor<5x2x3xf32>
    %37 = stablehlo.concatenate %33, %36, dim = 2 : (tensor<5x2x3xf32>, tensor<5x2x3xf32>) -> tensor<5x2x6xf32>
    %38 = stablehlo.abs %37 : tensor<5x2x6xf32>
    %39 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %40 = stablehlo.reduce(%38 init: %39) applies stablehlo.maximum across dimensions = [2] : (tensor<5x2x6xf32>, tensor<f32>) -> tensor<5x2xf32>
    %41 = stablehlo.broadcast_in_dim %4, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %42 = stablehlo.divide %40, %41 : tensor<5x2xf32>
    %43 = stablehlo.broadcast_in_dim %7, dims = [] : (tensor<f32>) -> tensor<5x2xf32>
    %44 = stablehlo.maximum %42, %43 : tensor<5x2xf32>
    %45 = stablehlo.iota dim = 1 : tensor<5x96xi32>
    %46 = stablehlo.broadcast_in_dim %arg6, dims = [0] : (tensor<5xi32>) -> tensor<5x96xi32>
    %47 = stablehlo.compare EQ, %46, %45, SIGNED : (tensor<5x96xi32>, tensor<5x96xi32>) -> tensor<5x96xi1>
    %48 = stablehlo.convert %47 : (tensor<5x96xi1>) -> tensor<5x96xf32>
    %49 = stablehlo.constant dense<0.0> : tensor<f32>
    %50 = stablehlo.reduce(%48 init: %49) applies stablehlo.add across dimensions = [0] : (tensor<5x96xf32>, tensor<f32>) -> tensor<96xf32>
    %51 = stablehlo.broadcast_in_dim %10, dims = [] : (tensor<f32>) -> tensor<96xf32>
    %52 = stablehlo.compare GE, %50, %51, FLOAT : (tensor<96xf32>, tensor<96xf32>) -> tensor<96xi1>
    %53 = stablehlo.transpose %9, dims = [0, 2, 1] : (tensor<6x2x16xf32>) -> tensor<6x16x2xf32>
    %54 = stablehlo.reshape %53 : (tensor<6x16x2xf32>) -> tensor<96x2xf32>
    %55 = stablehlo.dot_general %48, %44, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<5x96xf32>, tensor<5x2xf32>) -> tensor<96x2xf32>
    %56 = stablehlo.broadcast_in_dim %52, dims = [0] : (tensor<96xi1>) -> tensor<96x2xi1>
    %57 = stablehlo.select %56, %55, %54 : tensor<96x2xi1>, tensor<96x2xf32>
    %58 = stablehlo.reshape %57 : (tensor<96x2xf32>) -> tensor<6x16x2xf32>
    %59 = stablehlo.transpose %58, dims = [0, 2, 1] : (tensor<6x16x2xf32>) -> tensor<6x2x16xf32>
    return %59 : tensor<6x2x16xf32>
  }
}
